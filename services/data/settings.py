"""Settings of the data service."""

from dataclasses import dataclass

from services.data.domain.seal import Seal
from shared.kernel.settings import Secret, SettingsError
from shared.process.settings import ProcessSettings


@dataclass(frozen=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from `DAYPASS_…` at start.

    `column_key` may hold several: the first seals values of encrypted columns, each of them opens. Without one no
    column can be encrypted.

    With `storage_database_url` and `storage_redis_url`, by the role and user of storage, this process hosts the storage
    service too; its other settings are read as where it runs alone.
    """

    column_key: Secret = Secret("")  # noqa: RUF009 a string, and as immutable
    storage_database_url: Secret = Secret("")  # noqa: RUF009 as above
    storage_redis_url: Secret = Secret("")  # noqa: RUF009 as above

    def __post_init__(self) -> None:
        """Raise `SettingsError` where a value cannot work."""
        super().__post_init__()
        try:
            Seal(self.column_key)
        except ValueError as error:
            raise SettingsError(f"DAYPASS_COLUMN_KEY: {error}") from error
        if bool(self.storage_database_url) != bool(self.storage_redis_url):
            raise SettingsError("DAYPASS_STORAGE_DATABASE_URL and DAYPASS_STORAGE_REDIS_URL: set both, or neither")
