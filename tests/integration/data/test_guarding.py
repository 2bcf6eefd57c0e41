"""What data does with a principal: it is looked at once more before a write is committed, and may hold many roles."""

import asyncio
from dataclasses import replace

import pytest

from shared.appwrite.permissions import MOST_ROLES
from tests.accounts import Headers
from tests.eventually import eventually
from tests.integration.data.api import Api

EVERYONE = [f'{action}("any")' for action in ("create", "read", "update", "delete")]


async def test_a_write_of_who_is_revoked_meanwhile_is_not_committed(api: Api) -> None:
    """The request is under way, held up by a lock, when its session ends: it leaves nothing behind."""
    patient = await api.new_table(permissions=EVERYONE)
    row = await patient.new_row({"text": "before"})
    table = replace(patient, api=replace(api, patience=0))
    ada = api.accounts.sign_in("ada")
    assert (await table.get(row, ada)).status == 200
    at = api.guards[0].cache.position

    async with api.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        n = await connection.fetchval("SELECT n FROM data.tables WHERE id = $1 FOR UPDATE", table.table)
        assert n
        changing = asyncio.create_task(table.update(row, {"data": {"text": "after"}}, ada))
        creating = asyncio.create_task(table.create({"text": "new"}, ada))
        deleting = asyncio.create_task(table.delete(row, ada))
        await eventually(lambda: _waiting(api), 3)
        await api.accounts.tell(api.accounts.session_subject(ada))
        await eventually(lambda: api.guards[0].cache.position > at, True)
        await transaction.rollback()

    for answer in await asyncio.gather(changing, creating, deleting):
        assert answer.said == (503, "principal_unavailable")
    assert await table.found(column="text") == ["before"]


async def _waiting(api: Api) -> int:
    number: int = await api.pool.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR SHARE%'"
    )
    return number


@pytest.fixture
def crowd(api: Api) -> Headers:
    """Someone with as many roles as anybody may have."""
    own = 5
    return api.accounts.sign_in("ada", labels=[f"label{place}" for place in range(MOST_ROLES - own)])


async def test_a_caller_may_hold_as_many_roles_as_are_allowed(api: Api, crowd: Headers) -> None:
    table = await api.new_table(rowSecurity=True, permissions=['create("label:label7")'])
    by_label = await table.new_row(None, 'read("label:label1990")', 'update("label:label0")')
    by_user = await table.new_row(None, 'read("user:ada")')
    await table.new_row(None, 'read("label:other")')

    listed = await table.list(caller=crowd)
    assert listed.json["total"] == 2
    assert [one["$id"] for one in listed.json["rows"]] == [by_label, by_user]
    assert (await table.get(by_label, crowd)).status == 200
    assert (await table.update(by_label, {"data": {"text": "b"}}, crowd)).said == (200, "")
    assert (await table.create(caller=crowd, permissions=['read("label:label1994")'])).said == (201, "")
