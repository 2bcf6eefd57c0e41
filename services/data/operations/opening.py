"""Rows as their readers see them: values of encrypted columns opened, beside the loop where there are many bytes."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import structlog

from services.data.domain.catalogue import Table
from services.data.domain.sealing import DecryptionFailed, open_rows

T = TypeVar("T")
log = structlog.get_logger()

MAX_AT_ONCE = 64 * 1024
"""Bytes of JSON with encrypted values that are opened without giving others a turn."""


@contextlib.contextmanager
def logging_failures() -> Iterator[None]:
    """Log where a value of an encrypted column cannot be opened or sealed; neither form of it is logged."""
    try:
        yield
    except DecryptionFailed as failure:
        log.error(  # noqa: TRY400 the cause names nothing more
            "a value of an encrypted column cannot be decrypted: its key is not in DAYPASS_COLUMN_KEY, or it was"
            " altered or moved",
            **failure.place,
        )
        raise


async def opened(table: Table, rows: str) -> str:
    """Return rows, as JSON with commas between them, with their values opened; raises `DecryptionFailed`.

    Rows of a table without encrypted columns are returned as they are.
    """
    return await turned(lambda: open_rows(table, rows), len(rows)) if table.encrypted and rows else rows


async def turned(work: Callable[[], T], size: int) -> T:
    """Return the result of sealing or opening so many bytes, in a thread if they are many; failures are logged."""
    with logging_failures():
        return await asyncio.to_thread(work) if size > MAX_AT_ONCE else work()
