"""A deleted project's databases are gone at once and dropped in the end, and the next project of its id is another."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from services.data.operations.incarnations import PurgeHeldUp, adopt_databases, purge_project
from shared.contracts import subjects
from shared.contracts.events import PrincipalsChanged, ProjectDeleted
from shared.messaging.outbox import publish
from tests.accounts import GUEST
from tests.eventually import eventually
from tests.integration.data.api import TEXT, Api

PUBLIC = ['read("any")']


@pytest.fixture(autouse=True)
async def _fresh(api: Api) -> None:
    await make_again(api)


async def tell(api: Api, incarnation: int) -> None:
    """Tell that this incarnation of project `archive` is deleted."""
    async with api.accounts.pool.acquire() as connection, connection.transaction():
        await publish(connection, ProjectDeleted(project_id="archive", incarnation=incarnation))


async def make_again(api: Api) -> tuple[int, int]:
    """Let project `archive` be another from now on, as auth tells it; return the former incarnation and the new one."""
    former = api.accounts.projects["archive"]
    api.accounts.projects["archive"] = former + 1
    async with api.accounts.pool.acquire() as connection, connection.transaction():
        changed = PrincipalsChanged(subjects=(subjects.project("archive"),), reason="project.created")
        ticket = await publish(connection, changed, asked_by="tests")
    for guard in api.guards:
        assert await guard.applied(ticket, 20) is not None
    return former, former + 1


async def make_crm(api: Api, name: str) -> None:
    """Make a database `crm` in project `archive`, with a table `people` and a row that anybody may read."""

    async def post(path: str, body: dict[str, object]) -> None:
        made = await api.call("POST", path, body=body, project="archive")
        assert made.status == 201, made

    await post("", {"databaseId": "crm", "name": "CRM"})
    await post("/crm/tables", {"tableId": "people", "name": "People", "permissions": PUBLIC, "columns": [TEXT]})
    await post("/crm/tables/people/rows", {"rowId": "one", "data": {"text": name}})


async def read(api: Api, replica: int = 0) -> tuple[int, str]:
    """What a guest gets of the row, from a replica."""
    path = "/crm/tables/people/rows/one"
    answer = await api.call("GET", path, GUEST, project="archive", replica=replica)
    return answer.status, answer.json.get("text", "")


@contextlib.asynccontextmanager
async def backup(api: Api, incarnation: int) -> AsyncIterator[None]:
    """Hold what pg_dump holds of each table of an incarnation, until this ends."""
    tables = await api.pool.fetch(
        "SELECT format('db_%s.t_%s', databases.n, tables.n) AS name FROM data.tables"
        " JOIN data.databases ON databases.n = database_n WHERE incarnation = $1",
        incarnation,
    )
    async with api.pool.acquire() as connection, connection.transaction():
        for table in tables:
            await connection.execute(f"LOCK TABLE {table['name']} IN ACCESS SHARE MODE")
        yield


async def known(api: Api, incarnation: int) -> int:
    """How many databases of an incarnation there are."""
    number: int = await api.pool.fetchval("SELECT count(*) FROM data.databases WHERE incarnation = $1", incarnation)
    return number


async def schemas(api: Api) -> set[str]:
    """The schemas of databases that there are no more."""
    found = await api.pool.fetch("""
        SELECT nspname FROM pg_namespace WHERE nspname LIKE 'db\\_%'
        EXCEPT SELECT 'db_' || n FROM data.databases
    """)
    return {row["nspname"] for row in found}


async def test_the_databases_of_a_deleted_project_are_dropped(api: Api) -> None:
    kept = await api.new_table()
    await make_crm(api, "of the dead project")
    former, _ = await make_again(api)

    await tell(api, former)
    await tell(api, former)

    await eventually(lambda: known(api, former), 0)
    assert await schemas(api) == set()
    assert (await api.call("GET", "", project="archive")).json["total"] == 0
    assert (await kept.create()).status == 201


async def test_a_project_made_again_shows_nothing_of_the_former_one_while_a_backup_holds_up_its_purge(
    api: Api,
) -> None:
    await make_crm(api, "of the dead project")
    assert [await read(api, replica) for replica in (0, 1)] == [(200, "of the dead project")] * 2
    async with backup(api, api.accounts.projects["archive"]):
        former, new = await make_again(api)
        with pytest.raises(PurgeHeldUp):
            await purge_project(api.pool, "archive", former)

        assert [await read(api, replica) for replica in (0, 1)] == [(404, "")] * 2
        assert (await api.call("GET", "", project="archive")).json["total"] == 0
        await make_crm(api, "of the new project")

    await purge_project(api.pool, "archive", former)

    assert (await known(api, former), await known(api, new)) == (0, 1)
    assert [await read(api, replica) for replica in (0, 1)] == [(200, "of the new project")] * 2
    assert await schemas(api) == set()


async def test_a_purge_that_is_held_up_by_one_table_drops_the_others(api: Api) -> None:
    await make_crm(api, "of the dead project")
    async with backup(api, api.accounts.projects["archive"]):
        other = {"tableId": "other", "name": "Other", "columns": [TEXT]}
        assert (await api.call("POST", "/crm/tables", body=other, project="archive")).status == 201
        former, _ = await make_again(api)
        with pytest.raises(PurgeHeldUp):
            await purge_project(api.pool, "archive", former)
        left = await api.pool.fetch(
            "SELECT tables.id FROM data.tables JOIN data.databases ON databases.n = database_n WHERE incarnation = $1",
            former,
        )
        assert [row["id"] for row in left] == ["people"]
    await purge_project(api.pool, "archive", former)
    assert await known(api, former) == 0


async def test_no_database_is_made_in_a_project_whose_purge_has_begun(api: Api) -> None:
    incarnation = api.accounts.projects["archive"]
    await purge_project(api.pool, "archive", incarnation)

    made = await api.call("POST", "", body={"databaseId": "late", "name": "Late"}, project="archive")

    assert made.said == (404, "project_not_found")


async def test_databases_from_before_incarnations_are_given_to_their_project(api: Api) -> None:
    await make_crm(api, "from before")
    incarnation = api.accounts.projects["archive"]
    await api.pool.execute("UPDATE data.databases SET incarnation = NULL WHERE incarnation = $1", incarnation)
    assert (await api.call("GET", "", project="archive")).json["total"] == 0

    await adopt_databases(api.pool, api.as_data)

    assert (await api.call("GET", "", project="archive")).json["total"] == 1
