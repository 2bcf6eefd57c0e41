"""Objects: named bytes in a folder, or in S3, GCS or Azure, written once and never changed.

Their names are random and follow from nothing that a caller sends.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from shared.kernel.errors import ErrorType, Unavailable

LOCAL_BUFFER_BYTES = 256 * 1024
REMOTE_BUFFER_BYTES = 8 * 1024 * 1024
"""What is held of an object that is being written; a part of an upload to S3 has at least 5 MiB."""

MOST_LOCAL_WRITES = 64
MOST_REMOTE_WRITES = 16
"""Objects that are written at once."""

TIMEOUT_S = 60.0
"""For each step."""

_FAULTS = (BaseError, OSError, TimeoutError)


class ObjectMissing(Exception):
    """The store has no object of this name."""


class Objects:
    """The objects of a deployment, by their names."""

    def __init__(self, store: ObjectStore, *, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder
        self._buffer_bytes = REMOTE_BUFFER_BYTES if folder is None else LOCAL_BUFFER_BYTES
        self._writes = asyncio.Semaphore(MOST_REMOTE_WRITES if folder is None else MOST_LOCAL_WRITES)

    @classmethod
    def in_folder(cls, folder: Path) -> "Objects":
        """Return the objects in a folder, which is created; raises `OSError`."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(LocalStore(folder), folder=folder)

    @classmethod
    def at(cls, url: str, options: Mapping[str, Any]) -> "Objects":
        """Return the objects below a URL such as `s3://bucket/prefix`; raises `ValueError` where it cannot be one.

        `options` are obstore's names for credentials, endpoint and region. Any: its keys and values depend on the kind.
        """
        try:
            return cls(from_url(url, **options))
        except (BaseError, TypeError) as error:
            raise ValueError(f"not a store: {type(error).__name__}") from None

    @contextlib.asynccontextmanager
    async def writing(self, name: str) -> Any:  # Any: an async iterator, as the decorator has it
        """Write an object: yield a function that takes its bytes; it is there once the block has been left in peace.

        Raises `Unavailable`. What a block leaves behind by an error is to be removed by `remove`.
        """
        async with self._writes:
            with _translated():
                writer = obstore.open_writer_async(self._store, name, buffer_size=self._buffer_bytes, max_concurrency=1)

            async def write(data: bytes) -> None:
                with _translated():
                    async with asyncio.timeout(TIMEOUT_S):
                        await writer.write(data)

            yield write
            with _translated():
                async with asyncio.timeout(TIMEOUT_S):
                    await writer.close()
                    if self._folder is not None:
                        await asyncio.to_thread(_sync, self._folder / name)

    async def read(self, name: str, start: int, stop: int) -> bytes:
        """Return the bytes of an object from `start` up to `stop`; raises `ObjectMissing`, `Unavailable`."""
        if start == stop:
            return b""
        with _translated():
            async with asyncio.timeout(TIMEOUT_S):
                return bytes(await obstore.get_range_async(self._store, name, start=start, end=stop))

    async def require(self, name: str) -> None:
        """Raise `ObjectMissing` where an object is not there, `Unavailable`."""
        with _translated():
            async with asyncio.timeout(TIMEOUT_S):
                await obstore.head_async(self._store, name)

    async def remove(self, name: str) -> None:
        """Remove an object, finished or not; once more is no fault. Raises `Unavailable`."""
        with _translated(), contextlib.suppress(FileNotFoundError):
            if self._folder is not None:
                await asyncio.to_thread(_remove, self._folder / name)
                return
            async with asyncio.timeout(TIMEOUT_S):
                await obstore.delete_async(self._store, name)


def new_name() -> str:
    """Return the name of a new object."""
    name = secrets.token_hex(16)
    return f"{name[:2]}/{name}"


@contextlib.contextmanager
def _translated() -> Any:  # Any: an iterator, as the decorator has it
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing from error
    except _FAULTS as error:
        raise Unavailable(
            "The files cannot be reached at the moment. Try again.", type=ErrorType.GENERAL_BUSY
        ) from error


def _sync(path: Path) -> None:
    """Let a file, and its name in its folder, outlive a loss of power."""
    for one in (path, path.parent, path.parent.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove a file, and those that obstore writes before it gives them the name."""
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink(missing_ok=True)
