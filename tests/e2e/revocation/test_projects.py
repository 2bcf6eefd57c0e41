"""A project that is deleted and made again with its id, round after round, while backups hold up every purge."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from shared.contracts.administration import CreateKey, CreateProject, DeleteProject
from shared.contracts.requests import A, Request
from shared.kernel.errors import Unavailable
from tests.e2e.revocation.cluster import Cluster, Member
from tests.eventually import eventually

pytestmark = pytest.mark.topology("cluster")

PROJECT = "reborn"
ROUNDS = 12
ROW = "/tablesdb/crm/tables/people/rows/one"
COLUMN = {"key": "text", "type": "varchar", "size": 64}


@dataclass
class Seen:
    """What was read, by when the request was sent; and which round was deleted when."""

    texts: list[tuple[float, str]] = field(default_factory=list)
    deleted_at: dict[str, float] = field(default_factory=dict)

    @property
    def violations(self) -> list[str]:
        """What was read of a project by a request that was sent after its delete had returned."""
        return [text for sent, text in self.texts if sent > self.deleted_at.get(text, float("inf"))]


async def ask(cluster: Cluster, request: Request[A]) -> None:
    """Ask as the command line does, until it is confirmed."""
    while True:
        try:
            await cluster.ask(request)
        except Unavailable:
            continue
        return


async def call(
    cluster: Cluster, member: Member, method: str, path: str, body: object = None, key: str = ""
) -> tuple[int, Any]:
    headers = {"X-Appwrite-Project": PROJECT} | ({"X-Appwrite-Key": key} if key else {})
    async with cluster.http.request(method, f"{member.url}/v1{path}", headers=headers, json=body) as answer:
        return answer.status, await answer.json()


async def fill(cluster: Cluster, member: Member, text: str) -> str:
    """Make the project with a key, a database, and a row that anybody may read; return the key."""
    await ask(cluster, CreateProject(id=PROJECT, name=text))
    request, key = CreateKey.new(project_id=PROJECT, name="all")
    await ask(cluster, request)
    table = {"tableId": "people", "name": "People", "permissions": ['read("any")'], "columns": [COLUMN]}
    for path, body in (
        ("/tablesdb", {"databaseId": "crm", "name": "CRM"}),
        ("/tablesdb/crm/tables", table),
        ("/tablesdb/crm/tables/people/rows", {"rowId": "one", "data": {"text": text}}),
    ):
        status, answer = await call(cluster, member, "POST", path, body, key)
        assert status == 201, answer
    return key


async def read_on(cluster: Cluster, member: Member, seen: Seen, keys: list[str]) -> None:
    """Read the row again and again, as a guest and by every key that there has been lately."""
    while True:
        for key in ("", *keys[-3:]):
            sent = time.monotonic()
            status, answer = await call(cluster, member, "GET", ROW, key=key)
            if status == 200:
                seen.texts.append((sent, answer["text"]))


@contextlib.asynccontextmanager
async def backups(cluster: Cluster) -> AsyncIterator[asyncpg.Connection]:
    """A connection of which each lock stays until this ends."""
    connection = await asyncpg.connect(cluster.database.dsn("data"))
    try:
        async with connection.transaction():
            yield connection
    finally:
        await connection.close()


async def hold_all(backup: asyncpg.Connection) -> None:
    """Hold what pg_dump holds, of each table of the project."""
    tables = await backup.fetch(
        "SELECT format('db_%s.t_%s', databases.n, tables.n) AS name FROM data.tables"
        " JOIN data.databases ON databases.n = database_n WHERE project = $1",
        PROJECT,
    )
    for table in tables:
        await backup.execute(f"LOCK TABLE {table['name']} IN ACCESS SHARE MODE")


async def left(cluster: Cluster) -> int:
    """How many databases of dead incarnations there are."""
    connection = await asyncpg.connect(cluster.database.dsn("data"))
    number: int = await connection.fetchval(
        "SELECT count(*) FROM data.databases WHERE project = $1"
        " AND incarnation < (SELECT max(incarnation) FROM data.databases WHERE project = $1)",
        PROJECT,
    )
    await connection.close()
    return number


@pytest.mark.timeout(300)
async def test_a_project_that_is_made_again_shows_nothing_of_those_before_it(cluster: Cluster) -> None:
    seen, keys, members = Seen(), list[str](), cluster.of("data")
    async with backups(cluster) as backup:
        keys.append(await fill(cluster, members[0], "round 0"))
        readers = [asyncio.create_task(read_on(cluster, member, seen, keys)) for member in members]
        try:
            for number in range(ROUNDS):
                await eventually(lambda text=f"round {number}": text in {one for _, one in seen.texts}, True)
                await hold_all(backup)
                await ask(cluster, DeleteProject(id=PROJECT))
                seen.deleted_at[f"round {number}"] = time.monotonic()
                keys.append(await fill(cluster, members[number % len(members)], f"round {number + 1}"))
        finally:
            for reader in readers:
                reader.cancel()
            ended = await asyncio.gather(*readers, return_exceptions=True)
        assert await left(cluster) == ROUNDS

    assert [error for error in ended if not isinstance(error, asyncio.CancelledError)] == []
    assert seen.violations == []
    await eventually(lambda: left(cluster), 0)
    assert (await call(cluster, members[0], "GET", ROW))[1]["text"] == f"round {ROUNDS}"
