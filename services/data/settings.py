"""Settings of the data service."""

from dataclasses import dataclass

from shared.process.settings import ProcessSettings


@dataclass(frozen=True, kw_only=True)
class Settings(ProcessSettings):
    """Read from `DAYPASS_…` at start."""
