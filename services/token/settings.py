"""Settings of the token service."""

from dataclasses import dataclass
from typing import Final

from services.token.domain.seal import Seal
from services.token.domain.signing_keys import Algorithm
from shared.kernel.settings import Secret, SettingsError
from shared.process.settings import ProcessSettings

LONGEST_ISSUER: Final = 256


@dataclass(frozen=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from `DAYPASS_…` at start. The issuer is fixed at the first start; the algorithm is that of new keys.

    `master_key` may hold several: the first seals signing keys, each of them opens.
    """

    master_key: Secret
    issuer: str = ""
    signing_algorithm: Algorithm = "ES256"

    def __post_init__(self) -> None:
        """Raise `SettingsError` where a value cannot work."""
        super().__post_init__()
        try:
            Seal(self.master_key)
        except ValueError as error:
            raise SettingsError(f"DAYPASS_MASTER_KEY: {error}") from error
        if len(self.issuer) > LONGEST_ISSUER:
            raise SettingsError(f"DAYPASS_ISSUER: at most {LONGEST_ISSUER} characters")
