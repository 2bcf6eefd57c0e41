"""Whether a data directory is the newest state of itself, or a copy of an older one that was put back.

Valkey's data lies in the directory as well, so that nothing in it shows what has been ended since a copy was made. So
each start and each end in order writes a new token into the directory and, for its path, into a folder of the account
outside of it; and the directory knows the inodes of some files, which are others in a copy. A directory that cannot be
shown to be the newest begins a new epoch. What remains unseen: a file system that was put back as a whole.
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import TypeVar

import msgspec

from services.embedded.datadir import DataDir
from shared.kernel.private_file import write_private

T = TypeVar("T")

TOKEN_BYTES = 16


class _Inside(msgspec.Struct, kw_only=True):
    token: str
    inodes: list[int]


class _Outside(msgspec.Struct, kw_only=True):
    path: str
    tokens: list[str]


def state_dir() -> Path:
    """Return the folder of what this machine knows of data directories: not in any of them, nor gone after a boot."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if state.is_absolute():
        return state / "daypass"
    return Path("/var/lib/daypass-state") if os.geteuid() == 0 else Path.home() / ".local" / "state" / "daypass"


def is_newest(data_dir: DataDir) -> bool:
    """Say whether nothing speaks against this being the state that the last end, or crash, has left."""
    inside = _read(data_dir.lineage, _Inside)
    if inside is None or inside.inodes != _inodes(data_dir):
        return False
    outside = _read(_marker(data_dir), _Outside)
    return outside is None or inside.token in outside.tokens


def renew(data_dir: DataDir) -> bool:
    """Write another token, which no copy that was made before has; False where that is not kept outside as well."""
    inside = _read(data_dir.lineage, _Inside)
    token = secrets.token_hex(TOKEN_BYTES)
    # Outside first, with both: a crash in between leaves one that is known.
    is_kept = _keep(data_dir, [token] if inside is None else [inside.token, token])
    text = msgspec.json.encode(_Inside(token=token, inodes=_inodes(data_dir))).decode()
    write_private(data_dir.lineage, text)
    return is_kept and _keep(data_dir, [token])


def forget(data_dir: DataDir) -> None:
    """Delete what is known outside of a directory that is erased."""
    with contextlib.suppress(OSError):  # as where it could not be written
        _marker(data_dir).unlink()


def _inodes(data_dir: DataDir) -> list[int]:
    """Return the inodes of files that are made once, and written in place ever after."""
    files = (data_dir.format, data_dir.postgres / "PG_VERSION", data_dir.postgres / "global" / "pg_control")
    return [file.stat().st_ino for file in files if file.exists()]


def _keep(data_dir: DataDir, tokens: list[str]) -> bool:
    marker = _marker(data_dir)
    try:
        marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(marker, msgspec.json.encode(_Outside(path=str(data_dir.path), tokens=tokens)).decode())
    except OSError:
        return False
    return True


def _marker(data_dir: DataDir) -> Path:
    digest = hashlib.sha256(os.fsencode(data_dir.path.resolve())).hexdigest()[:32]
    return state_dir() / f"{digest}.json"


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None
