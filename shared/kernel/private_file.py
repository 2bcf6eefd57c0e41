"""Files that only their owner reads, and that are whole or not there."""

import os
import tempfile
from pathlib import Path

UNFINISHED = ".unfinished"
"""The end of a file's name while it is written; a process that is killed leaves it behind."""


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file of mode 0600, in place of an older one at once, and safe from a crash of the machine.

    Several writers may write the same file at once: the last one wins. Raises `OSError`.
    """
    data = content.encode() if isinstance(content, str) else content
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f"{path.name}.", suffix=UNFINISHED, delete=False
    ) as unfinished:
        try:
            unfinished.write(data)
            unfinished.flush()
            os.fsync(unfinished.fileno())
            Path(unfinished.name).replace(path)
        except BaseException:
            Path(unfinished.name).unlink()
            raise
