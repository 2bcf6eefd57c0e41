"""Whether the texts of a column fit a smaller size; those of an encrypted column have to be opened."""

from functools import partial

from services.data.domain.catalogue import Column, Table
from services.data.domain.columns.kind import Value
from services.data.domain.seal import sealed_length
from services.data.domain.sealing import open_value
from services.data.operations.opening import turned
from services.data.store import definitions as changes
from services.data.store import sealed as store
from services.data.store.sealed import SealedValue
from shared.postgres.pool import Connection

MIN_JSON = len('""')


async def has_longer(connection: Connection, table: Table, column: Column, size: int) -> bool:
    """Say whether any row has a text in a column that is longer than so many characters.

    Of an encrypted column only those values are opened that have enough bytes for it. Raises `DecryptionFailed`.
    """
    if not column.is_encrypted:
        return await changes.has_longer(connection, table, column, size)

    async for values in store.longer_than(connection, table, column, sealed_length(size + MIN_JSON)):
        is_any = partial(_is_any_longer, table, column, values, size=size)
        if await turned(is_any, sum(len(one.sealed) for one in values)):
            return True
    return False


def _is_any_longer(table: Table, column: Column, values: list[SealedValue], *, size: int) -> bool:
    return any(_longest(open_value(table, column, one.id, one.sealed)) > size for one in values)


def _longest(value: Value) -> int:
    texts = value if isinstance(value, list) else [value]
    return max((len(text) for text in texts if text is not None), default=0)
