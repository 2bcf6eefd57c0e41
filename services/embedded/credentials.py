"""The project and the key of the first start, in a file that a shell can read."""

from dataclasses import dataclass

from services.embedded.datadir import DataDir
from shared.kernel.private_file import write_private
from shared.kernel.settings import Secret

HEADER = "# The project and key that Daypass made at its first start. Keep it private.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A project and a key with all scopes."""

    project: str
    key: Secret


def find_credentials(data_dir: DataDir) -> Credentials | None:
    """Return what the file holds; None where there is no file, or a line is missing."""
    try:
        lines = data_dir.credentials.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    try:
        return Credentials(project=values["DAYPASS_PROJECT"], key=Secret(values["DAYPASS_KEY"]))
    except KeyError:
        return None


def write_credentials(data_dir: DataDir, credentials: Credentials, *, endpoint: str) -> None:
    """Write the file, with the endpoint of this start."""
    values = {
        "DAYPASS_ENDPOINT": endpoint,
        "DAYPASS_PROJECT": credentials.project,
        "DAYPASS_KEY": credentials.key.reveal(),
    }
    write_private(data_dir.credentials, HEADER + "".join(f"{name}={value}\n" for name, value in values.items()))
