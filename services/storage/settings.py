"""Settings of the storage service."""

from dataclasses import dataclass

from services.storage.domain.keys import FileKeys
from shared.kernel.settings import Secret, SettingsError
from shared.process.settings import ProcessSettings

GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from `DAYPASS_…` at start. `max_file_bytes` is the size of the largest file that may be stored.

    `files` is the folder in which files are kept, or a URL such as `s3://bucket/prefix`; `files_options` are a JSON
    object of credentials and the like for it. `file_key` may hold several: the first wraps keys of files, each unwraps.
    """

    files: str
    file_key: Secret
    files_options: Secret = Secret("")  # noqa: RUF009 a string, and as immutable

    max_file_bytes: int = GIB

    def __post_init__(self) -> None:
        """Raise `SettingsError` where a value cannot work."""
        super().__post_init__()
        if self.max_file_bytes < 1:
            raise SettingsError("DAYPASS_MAX_FILE_BYTES: at least 1")
        try:
            FileKeys(self.file_key)
        except ValueError as error:
            raise SettingsError(f"DAYPASS_FILE_KEY: {error}") from error
