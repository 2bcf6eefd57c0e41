"""A deleted project's databases are dropped, however often data is told."""

from shared.contracts.events import ProjectDeleted
from shared.messaging.outbox import publish
from tests.eventually import eventually
from tests.integration.data.api import Api


async def tell(api: Api) -> None:
    async with api.accounts.pool.acquire() as connection, connection.transaction():
        await publish(connection, ProjectDeleted(project="archive"))


async def schemas(api: Api) -> set[str]:
    """The schemas that there are, but for those of databases of other projects."""
    found = await api.pool.fetch("""
        SELECT nspname FROM pg_namespace WHERE nspname LIKE 'db\\_%'
        EXCEPT SELECT 'db_' || n FROM data.databases WHERE project <> 'archive'
    """)
    return {row["nspname"] for row in found}


async def known(api: Api) -> int:
    number: int = await api.pool.fetchval("SELECT count(*) FROM data.databases WHERE project = 'archive'")
    return number


async def test_the_databases_of_a_deleted_project_are_dropped(api: Api) -> None:
    kept = await api.new_table()
    for _ in range(2):
        body = {"databaseId": api.new_id("database"), "name": "Archive"}
        assert (await api.call("POST", "", body=body, project="archive")).status == 201
        table = {"tableId": "papers", "name": "Papers"}
        path = f"/{body['databaseId']}/tables"
        assert (await api.call("POST", path, body=table, project="archive")).status == 201
    assert len(await schemas(api)) >= 2

    await tell(api)
    await tell(api)

    await eventually(lambda: known(api), 0)
    await eventually(lambda: schemas(api), set())
    assert (await api.call("GET", "", project="archive")).body["total"] == 0
    assert (await kept.create()).status == 201
