"""Which instance a command means."""

from pathlib import Path

from services.embedded.datadir import DataDir, default_data_dir


def data_dir_of(path: Path | None) -> DataDir:
    """Return the data directory of this path, or the default one."""
    return DataDir((path or default_data_dir()).absolute())
