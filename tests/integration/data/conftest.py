"""Two replicas of data on one database, over HTTP; auth is stood in for, everything else is real."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from services.data.composition import open_data
from services.data.settings import Settings
from shared.kernel.settings import Secret
from tests.integration.data.api import Api
from tests.integration.ground import open_ground
from tests.parts import Parts

COLUMN_KEYS = Secret("a-column-key-for-tests-only-0123456789, another-key-for-tests-only-0123456789")


@pytest.fixture(scope="session")
async def api(parts: Parts) -> AsyncIterator[Api]:
    """Data in project `library`, for the whole session: tests make databases of their own."""
    async with open_ground(parts) as ground, aiohttp.ClientSession() as http:
        settings = Settings(
            database_url=Secret(ground.database.dsn("data")),
            redis_url=Secret(ground.valkey.url("data")),
            column_key=COLUMN_KEYS,
        )
        replicas = [await ground.replica("data", lambda guard: open_data(settings, guard=guard)) for _ in range(2)]
        yield Api(
            http=http,
            urls=[replica.url for replica in replicas],
            guards=[replica.guard for replica in replicas],
            accounts=ground.accounts,
            pool=await ground.pool("data"),
            key=ground.accounts.make_key(),
            bus=await ground.bus("cli"),
            cli_url=ground.valkey.url("cli"),
            as_auth=ground.as_auth,
            as_data=await ground.bus("data"),
        )
