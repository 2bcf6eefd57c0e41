"""Which instance a command means, and how a hint names it."""

import shlex
from pathlib import Path

from services.embedded.datadir import DataDir, default_data_dir


def data_dir_of(path: Path | None) -> DataDir:
    """Return the data directory of this path, or the default one."""
    return DataDir((path or default_data_dir()).absolute())


def hint(data_dir: DataDir, *words: str) -> str:
    """Return a command for the instance of this directory, as a shell takes it."""
    named = () if data_dir == data_dir_of(None) else ("--data-dir", str(data_dir.path))
    return shlex.join(("daypass", *named, *words))
