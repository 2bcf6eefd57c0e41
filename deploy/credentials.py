"""The first project and its key, which are made once and kept in a private file."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import msgspec

from deploy.engine import ROOT, DeployFailed, ask, compose_command, say
from shared.kernel.private_file import write_private

FILE = ROOT / "deploy" / "secrets" / "credentials.env"
HEADER = "# The project and key that `make up` made first. Keep it private.\n"
PROJECT = "default"
TIMEOUT_S = 15


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """A project and a key with all scopes."""

    project: str
    key: str


def ensure(endpoint: str) -> tuple[Credentials, bool]:
    """Return the project and key of the file, or new ones where there are none or they are good no more.

    And whether they are new: a key is shown once.
    """
    credentials = _read()
    is_new = credentials is None or not _are_good(endpoint, credentials)
    if credentials is None or is_new:
        say("making the first project and its key")
        credentials = _make()
    _write(endpoint, credentials)
    return credentials, is_new


def path() -> Path:
    """Return the file as seen from the root of the project."""
    return FILE.relative_to(ROOT)


def forget() -> None:
    """Remove the file: the data that it belongs to is gone."""
    FILE.unlink(missing_ok=True)


def _read() -> Credentials | None:
    if not FILE.exists():
        return None
    lines = FILE.read_text(encoding="utf-8").splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    if not {"DAYPASS_PROJECT", "DAYPASS_KEY"} <= set(values):
        return None
    return Credentials(project=values["DAYPASS_PROJECT"], key=values["DAYPASS_KEY"])


def _write(endpoint: str, credentials: Credentials) -> None:
    values = {"ENDPOINT": endpoint, "PROJECT": credentials.project, "KEY": credentials.key}
    write_private(FILE, HEADER + "".join(f"DAYPASS_{name}={value}\n" for name, value in values.items()))


def _are_good(endpoint: str, credentials: Credentials) -> bool:
    headers = {"X-Appwrite-Project": credentials.project, "X-Appwrite-Key": credentials.key}
    request = urllib.request.Request(f"{endpoint}/health", headers=headers)  # noqa: S310 always http
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310 as above
            return True
    except urllib.error.HTTPError as error:
        body = error.read().decode(errors="replace")
        if error.code in {401, 404}:  # this key, this project: unknown, unless it is a scope that the key lacks
            return "general_unauthorized_scope" in body
        raise DeployFailed(f"{endpoint} answers {error.code}: {body}") from error
    except OSError as error:
        raise DeployFailed(f"{endpoint} does not answer: {error}") from error


def _make() -> Credentials:
    listed = json.loads(_daypass("project", "list"))
    if PROJECT not in {project["id"] for project in listed}:
        _daypass("project", "create", PROJECT, "--name", "Default")
    made = json.loads(_daypass("key", "create", "--project", PROJECT, "--name", "default"))
    return Credentials(project=PROJECT, key=made["key"]["secret"])


def _daypass(*arguments: str) -> str:
    return ask(*compose_command(), "exec", "-T", "auth", "daypass", *arguments, "--json")
