"""Core dumps: none, since they would hold secrets and rows."""

import resource


def forbid_core_dumps() -> None:
    """Let neither this process nor its children leave a core dump."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
