"""Which instance a command means."""

from pathlib import Path

from services.embedded.datadir import DataDir, default_data_dir


def chosen(given: Path | None) -> DataDir:
    """Return the data directory that `--data-dir` gave, or the default one."""
    return DataDir((given or default_data_dir()).absolute())
