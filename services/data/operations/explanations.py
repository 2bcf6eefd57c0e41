"""Explanations: beside rows that a key reads, and for the command line."""

import msgspec

from services.data.domain.catalogue import Table, TableKey
from services.data.domain.explanation import explain
from services.data.operations.catalogue import Catalogue
from services.data.operations.projects import command_line, find_project
from services.data.store import rows as store
from services.data.store.catalogue import find_version
from services.data.store.errors import StaleTable
from shared.contracts.explanations import ExplainRow, Explanation
from shared.contracts.ids import ProjectId, RowId, UserId
from shared.contracts.principal import Principal, guest
from shared.contracts.requests import ResolveUser
from shared.kernel.errors import ErrorType, Refusal
from shared.messaging.bus import Bus
from shared.postgres.pool import Connection

MOST_EXPLAINED = 100
"""Rows of a list: each is looked at in Python, unlike anything else that is done with rows."""


class _Row(msgspec.Struct):
    permissions: list[str] = msgspec.field(name="$permissions")


async def find_user(bus: Bus, project_id: ProjectId, user_id: UserId) -> Principal:
    """Return who a user would be that calls now; raises `Refusal(USER_NOT_FOUND)`, or `Unavailable`."""
    principal = (await bus.ask(ResolveUser(project_id=project_id, user_id=user_id))).principal
    if principal is None:
        raise Refusal(ErrorType.USER_NOT_FOUND)
    return principal


async def explain_row(catalogue: Catalogue, bus: Bus, request: ExplainRow) -> Explanation:
    """Explain what a user may do with a row; raises `Refusal` where any of it is not there."""
    project = await find_project(bus, request.project_id)
    whom = await find_user(bus, request.project_id, request.user_id) if request.user_id else guest(request.project_id)

    async def work(connection: Connection, table: Table) -> Explanation:
        return explain(table, await _permissions(connection, table, request.row), whom)

    table_key = TableKey(project.incarnation, request.database, request.table)
    return await catalogue.read(table_key, command_line(request.project_id), work)


def check_explainable(limit: int) -> None:
    """Raise `Refusal(GENERAL_QUERY_INVALID)` where a page may be longer than what is explained at once."""
    if limit > MOST_EXPLAINED:
        raise Refusal(
            ErrorType.GENERAL_QUERY_INVALID, f"Invalid query: at most {MOST_EXPLAINED} rows can be explained at once"
        )


def row_explained(table: Table, row: bytes, whom: Principal) -> bytes:
    """Return a row's JSON with what somebody may do with it, under `$explain`, a name that no column can have."""
    return _beside(row, table, explain(table, msgspec.json.decode(row, type=_Row).permissions, whom))


def list_explained(table: Table, rows: str, total: int, whom: Principal) -> bytes:
    """Return a list's JSON with what somebody may do with each row, and with one that has no permissions."""
    listed = msgspec.json.decode(f"[{rows}]", type=list[msgspec.Raw])
    shown = b",".join(row_explained(table, bytes(row), whom) for row in listed)
    page = b'{"total":%d,"%b":[%b]}' % (total, table.naming.word("rows").encode(), shown)
    return _beside(page, table, explain(table, [], whom))


def _beside(json: bytes, table: Table, explanation: Explanation) -> bytes:
    words = {table.naming.word(name): value for name, value in msgspec.to_builtins(explanation).items()}
    return json.removesuffix(b"}") + b',"$explain":' + msgspec.json.encode(words) + b"}"


async def _permissions(connection: Connection, table: Table, row_id: RowId) -> list[str]:
    if row_id:
        row = await store.get_row(connection, table, row_id, selected=(), roles=None)
        return msgspec.json.decode(row, type=_Row).permissions
    if await find_version(connection, table.n) != table.version:
        raise StaleTable
    return []
