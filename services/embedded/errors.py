"""What keeps the embedded topology from starting, in words for the operator."""


class StartRefused(Exception):
    """The data directory, port or account cannot be used; nothing was changed."""


class PartFailed(Exception):
    """A part could not start, or ended by itself; what was started has been stopped."""
