"""Settings of the storage service."""

from dataclasses import dataclass

from shared.kernel.settings import SettingsError
from shared.process.settings import ProcessSettings

GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from `DAYPASS_…` at start. `max_file_bytes` is the size of the largest file that may be stored."""

    max_file_bytes: int = GIB

    def __post_init__(self) -> None:
        """Raise `SettingsError` where a value cannot work."""
        super().__post_init__()
        if self.max_file_bytes < 1:
            raise SettingsError("DAYPASS_MAX_FILE_BYTES: at least 1")
