"""No text of a request is run as SQL, whichever parameter or header carries it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from services.embedded.postgres import SUPERUSER
from services.registry import ENDPOINTS
from shared.web.endpoint import Endpoint, Mode
from tests.injection import (
    HEADER_TEXTS,
    TEXTS,
    Canary,
    Target,
    attempts,
    chosen_values,
    header_attempts,
    open_canary,
    write,
)
from tests.integration.storage.api import Api, Json
from tests.integration.storage.uploads import upload
from tests.parts import Database, Parts
from tests.wire import query

OWN = [one for one in ENDPOINTS["storage"] if one.mode is Mode.PLAIN and "{fileId}/" not in one.paths[0]]


@dataclass(frozen=True)
class Stage:
    """A bucket, which requests name."""

    api: Api
    bucket: str
    file: str

    @property
    def headers(self) -> dict[str, str]:
        return {**self.api.key, "X-Appwrite-Project": "library"}

    def values(self, endpoint: Endpoint) -> Json:
        """Return a value for each parameter of an endpoint."""
        queries = [query("startsWith", "name", "a"), query("orderAsc", "name"), query("limit", None, 5)]
        known = {
            "bucketId": self.bucket,
            "fileId": self.file,
            "name": "Name",
            "permissions": ['read("user:a")'],
            "fileSecurity": True,
            "enabled": True,
            "maximumFileSize": 1000,
            "allowedFileExtensions": ["jpg"],
            "compression": "none",
            "encryption": True,
            "antivirus": False,
            "transformations": True,
            "queries": queries,
            "search": "name",
            "total": True,
        }
        return chosen_values(endpoint, known)


@pytest.fixture(scope="module")
async def canary(api: Api, parts: Parts) -> AsyncIterator[Canary]:
    database = Database(await api.pool.fetchval("SELECT current_database()"), parts.postgres)
    connection = await asyncpg.connect(database.dsn(SUPERUSER))
    async with open_canary(connection) as canary:
        yield canary
    await connection.close()


@pytest.fixture
async def stage(api: Api) -> Stage:
    bucket = await api.new_bucket()
    return Stage(api, bucket, (await upload(api, bucket, b"a")).json["$id"])


@pytest.fixture
async def target(api: Api, canary: Canary) -> AsyncIterator[Target]:
    """Where SQL may go, and is never run."""
    yield Target(api.http, api.urls[0], api.guards[0])
    assert not await canary.has_sung()


async def test_values_are_no_sql(stage: Stage, target: Target) -> None:
    for endpoint in OWN:
        values = stage.values(endpoint)
        if endpoint.method != "DELETE":
            assert await target.send(write(endpoint, values), stage.headers) == endpoint.status, endpoint.name
        for text in TEXTS:
            for attempt in attempts(endpoint, values, text):
                await target.send(attempt, stage.headers)


async def test_headers_are_no_sql(stage: Stage, target: Target) -> None:
    for place, endpoint in enumerate(one for one in OWN if one.method != "DELETE"):
        for sent in header_attempts(HEADER_TEXTS[place % len(HEADER_TEXTS)]):
            await target.send(write(endpoint, stage.values(endpoint)), {**stage.headers, **sent})
