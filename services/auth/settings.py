"""Settings of the auth service."""

from dataclasses import dataclass

from shared.kernel.settings import SettingsError
from shared.messaging.relay import CrashPoint
from shared.process.settings import ProcessSettings


@dataclass(frozen=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from `DAYPASS_…` at start. `cheap_passwords` are for tests only.

    `receipts_kept_days` is how long receipts, and the rows of sessions that have ended, are kept. `test_crash` is
    where a test has the process killed. `invitations_dir` is the folder that invitations are written to; `none`: users
    cannot invite others. `geoip_database` is the file that says in which country an address is; `none`: nobody knows.
    """

    cheap_passwords: bool = False
    receipts_kept_days: int = 30
    invitations_dir: str = "none"
    geoip_database: str = "none"
    test_crash: CrashPoint = "none"

    def __post_init__(self) -> None:
        """Raise `SettingsError` where a value cannot work."""
        super().__post_init__()
        if self.test_crash != "none":
            self.require_test("DAYPASS_TEST_CRASH")
        if self.receipts_kept_days < 1:
            raise SettingsError("DAYPASS_RECEIPTS_KEPT_DAYS: at least 1")
