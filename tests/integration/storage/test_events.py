"""A deleted project's buckets are gone, and the next project of its id is another."""

from shared.contracts import subjects
from shared.contracts.events import PrincipalsChanged, ProjectDeleted
from shared.messaging.outbox import publish
from tests.eventually import eventually
from tests.integration.storage.api import Api

NAMED = {"bucketId": "papers", "name": "Papers"}


async def test_the_buckets_of_a_deleted_project_are_deleted(api: Api) -> None:
    former = api.accounts.projects["archive"]
    assert (await api.call("POST", "", body=NAMED, project="archive")).status == 201
    api.accounts.projects["archive"] = former + 1
    async with api.feed.acquire() as connection, connection.transaction():
        changed = PrincipalsChanged(subjects=(subjects.project("archive"),), reason="project.created")
        ticket = await publish(connection, changed, asked_by="tests")
        await publish(connection, ProjectDeleted(project_id="archive", incarnation=former))
    for guard in api.guards:
        assert await guard.applied(ticket, 20) is not None

    assert (await api.call("GET", "/papers", project="archive")).said == (404, "storage_bucket_not_found")
    assert (await api.call("POST", "", body=NAMED, project="archive")).status == 201

    async def left_and_noted() -> tuple[int, int]:
        left = "SELECT count(*) FROM storage.buckets WHERE incarnation = $1 AND deleted_at IS NULL"
        noted = "SELECT count(*) FROM storage.incarnations WHERE incarnation = $1 AND deleted_at IS NOT NULL"
        return await api.pool.fetchval(left, former), await api.pool.fetchval(noted, former)

    await eventually(left_and_noted, (0, 1))
    assert (await api.call("GET", "/papers", project="archive")).status == 200
