"""Where a running instance can be reached: written when it is ready, gone when it is not."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from services.embedded.datadir import DataDir, holder
from shared.kernel.private_file import write_private


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A running instance. `redis_url` holds a password; it is the command line's."""

    endpoint: str
    pid: int
    redis_url: str

    @property
    def socket_dir(self) -> Path:
        """The folder of the sockets of both parts."""
        return Path(self.redis_url.rpartition("@")[2]).parent

    def __repr__(self) -> str:
        return f"Running(endpoint={self.endpoint!r}, pid={self.pid})"


@contextlib.contextmanager
def announced(data_dir: DataDir, running: Running) -> Iterator[None]:
    """Keep the run file for the length of the block."""
    write_private(data_dir.run_file, msgspec.json.encode(running).decode())
    try:
        yield
    finally:
        data_dir.run_file.unlink(missing_ok=True)


def find_running(data_dir: DataDir) -> Running | None:
    """Return the instance that runs on a data directory and is ready, or None. May raise `PermissionError`."""
    pid = holder(data_dir)
    if pid is None:
        return None
    try:
        running = msgspec.json.decode(data_dir.run_file.read_bytes(), type=Running)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return running if running.pid == pid else None
