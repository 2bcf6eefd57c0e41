"""The data directory: where it is, what lies where in it, who may use it, and that only one process does."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from services.embedded.account import Account
from services.embedded.errors import StartRefused
from shared.kernel.private_file import UNFINISHED

FORMAT = 1
"""Of the layout below. A directory of a higher number was made by a newer release, and is refused."""

PROBE_S = 0.3
"""How long to wait for a lock that another process may only be looking at."""


@dataclass(frozen=True, slots=True)
class DataDir:
    """Paths of everything that an instance keeps."""

    path: Path

    @property
    def format(self) -> Path:
        """The number of its layout."""
        return self.path / "format"

    @property
    def lock(self) -> Path:
        """Locked, and holding the process id, while an instance runs."""
        return self.path / "lock"

    @property
    def secrets(self) -> Path:
        """Passwords of the parts, and the master key."""
        return self.path / "secrets.json"

    @property
    def credentials(self) -> Path:
        """The project and key of the first start."""
        return self.path / "credentials.env"

    @property
    def lineage(self) -> Path:
        """What tells this directory from an older copy of it."""
        return self.path / "lineage.json"

    @property
    def run_file(self) -> Path:
        """Where the running instance can be reached."""
        return self.path / "run.json"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's cluster."""
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's append-only file and configuration."""
        return self.path / "valkey"

    @property
    def programs(self) -> Path:
        """Copies of programs that the account of the parts cannot reach where they are installed."""
        return self.path / "programs"

    @property
    def invitations(self) -> Path:
        """Invitations to teams, with the links that accept them."""
        return self.path / "invitations"

    @property
    def files(self) -> Path:
        """The content of files."""
        return self.path / "files"

    @property
    def log(self) -> Path:
        """What the services log while detached."""
        return self.path / "daypass.log"

    def part_log(self, part: str) -> Path:
        """What a part writes."""
        return self.path / f"{part}.log"


def default_data_dir() -> Path:
    """Return /var/lib/daypass for root, else the user's own folder for data."""
    if os.geteuid() == 0:
        return Path("/var/lib/daypass")
    home = os.environ.get("XDG_DATA_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "share") / "daypass"


@contextlib.contextmanager
def open_data_dir(path: Path) -> Iterator[tuple[DataDir, Account | None]]:
    """Make the directory where there is none, and hold it; also return the account that its parts run as.

    Raises `StartRefused` where it cannot be used, is held by another process, or was made by a newer release.
    """
    data_dir = DataDir(path.absolute())
    try:
        account = Account.choose(kept=data_dir.postgres)
        data_dir.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_contents(data_dir)
        _close(data_dir.path, account)
        _check_reach(data_dir.path, account)
        with locked(data_dir):
            if not data_dir.format.exists():
                data_dir.format.write_text(f"{FORMAT}\n", encoding="ascii")
            yield data_dir, account
    except OSError as error:
        if error.filename is None or data_dir.path not in (Path(error.filename), *Path(error.filename).parents):
            raise
        raise StartRefused(f"the data directory {data_dir.path} cannot be used: {error.strerror}") from error


@contextlib.contextmanager
def locked(data_dir: DataDir) -> Iterator[None]:
    """Hold the directory; raises `StartRefused` where another process does, or `OSError`."""
    with data_dir.lock.open("a+", encoding="ascii") as file:
        if not _try_lock(file):
            raise StartRefused(f"Daypass already runs on {data_dir.path} (process {holder(data_dir) or 'unknown'})")
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def refuse_if_held(data_dir: DataDir) -> None:
    """Raise `StartRefused` where a process holds the directory; `open_data_dir` names all other faults."""
    pid = None
    with contextlib.suppress(OSError):
        pid = holder(data_dir)
    if pid is not None:
        raise StartRefused(f"Daypass already runs on {data_dir.path} (process {pid})")


def holder(data_dir: DataDir) -> int | None:
    """Return the id of the process that holds the directory; None where none does. May raise `PermissionError`."""
    try:
        with data_dir.lock.open(encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.readline() or 0) or None
    except FileNotFoundError:
        pass
    return None


def is_empty(data_dir: DataDir) -> bool:
    """Say whether there is nothing in the directory, or no directory."""
    return not data_dir.path.exists() or all(entry == data_dir.lock for entry in data_dir.path.iterdir())


def erase(data_dir: DataDir) -> None:
    """Delete everything that an instance keeps, and the directory if that leaves it empty; hold it meanwhile.

    Raises `StartRefused` where an instance runs, or this is no data directory of Daypass.
    """
    if not data_dir.format.exists():
        raise StartRefused(f"{data_dir.path} is not a data directory of Daypass")
    with locked(data_dir):
        for folder in (data_dir.postgres, data_dir.valkey, data_dir.programs, data_dir.invitations, data_dir.files):
            if folder.exists():
                shutil.rmtree(folder)
        files = (
            data_dir.secrets,
            data_dir.credentials,
            data_dir.lineage,
            data_dir.run_file,
            data_dir.log,
            data_dir.format,
        )
        logs = (data_dir.part_log("postgres"), data_dir.part_log("valkey"))
        unfinished = (path for path in data_dir.path.glob(f"*{UNFINISHED}") if path.is_file())
        for file in (*files, *logs, *unfinished, data_dir.lock):
            file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        data_dir.path.rmdir()


def _try_lock(file: TextIO) -> bool:
    give_up_at = time.monotonic() + PROBE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                return False
            time.sleep(PROBE_S / 10)
        else:
            return True


def _close(path: Path, account: Account | None) -> None:
    """Close a directory, new or not, to all other accounts; the account of the parts may enter it."""
    try:
        if account is None:
            path.chmod(0o700)
        else:
            shutil.chown(path, group=account.gid)
            path.chmod(0o710)
    except PermissionError:
        raise StartRefused(f"the data directory {path} belongs to another account: choose another --data-dir") from None


def _check_reach(path: Path, account: Account | None) -> None:
    if account is not None and not account.can_reach(path):
        raise StartRefused(
            f"the account {account.name}, as which PostgreSQL runs under root, may not enter {path}:"
            " choose another --data-dir, one whose parent folders all accounts may enter"
        )


def _check_contents(data_dir: DataDir) -> None:
    if data_dir.format.exists():
        _check_format(data_dir)
    elif not is_empty(data_dir):
        raise StartRefused(f"{data_dir.path} is not empty, and not a data directory of Daypass")


def _check_format(data_dir: DataDir) -> None:
    text = data_dir.format.read_text(encoding="ascii", errors="replace").strip()
    if not text.isdecimal():
        raise StartRefused(f"{data_dir.format} does not contain a format number")
    if int(text) > FORMAT:
        raise StartRefused(
            f"{data_dir.path} was made by a newer release of Daypass (format {text}, this release knows up to"
            f" {FORMAT}): start that release, or choose another --data-dir"
        )
