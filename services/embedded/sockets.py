"""The folder of the sockets: short, whatever the data directory's path; Redis cuts a path over 107 bytes silently."""

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from services.embedded.account import Account
from services.embedded.datadir import DataDir
from services.embedded.errors import StartRefused

MAX_DIR_BYTES = 107 - len("/.s.PGSQL.5432")


@contextlib.contextmanager
def open_socket_dir(data_dir: DataDir, account: Account | None) -> Iterator[Path]:
    """Make the empty folder of the data directory's sockets, for the account of the parts alone; remove it at the end.

    The data directory must be held: what a killed process left here is removed. Raises `StartRefused`.
    """
    path = _place(data_dir, account)
    _make(path, account)
    try:
        for leftover in path.iterdir():
            leftover.unlink()
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _place(data_dir: DataDir, account: Account | None) -> Path:
    """Choose $XDG_RUNTIME_DIR where it is ours and short (under root, the account of the parts could not enter it)."""
    digest = hashlib.sha256(os.fsencode(data_dir.path.resolve())).hexdigest()[:8]
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    place = runtime / f"daypass-{digest}"
    if account is None and runtime.is_absolute() and _is_ours(runtime) and len(os.fsencode(place)) <= MAX_DIR_BYTES:
        return place
    return Path("/tmp") / f"daypass-{os.geteuid()}-{digest}"  # noqa: S108 the owner is checked


def _make(path: Path, account: Account | None) -> None:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        info = path.lstat()
        owners = {os.geteuid()} if account is None else {os.geteuid(), account.uid}
        if not stat.S_ISDIR(info.st_mode) or info.st_uid not in owners or info.st_mode & 0o077:
            raise StartRefused(f"{path} belongs to another account: have it removed") from None
    if account is not None:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _is_ours(folder: Path) -> bool:
    return folder.is_dir() and folder.stat().st_uid == os.geteuid() and os.access(folder, os.W_OK)
