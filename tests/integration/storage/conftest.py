"""Two replicas of storage on one database, over HTTP; auth is stood in for, everything else is real."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from services.storage.composition import open_storage
from services.storage.settings import Settings
from shared.kernel.settings import Secret
from tests.integration.ground import open_ground
from tests.integration.storage.api import MOST_FILE_BYTES, Api
from tests.parts import Parts


@pytest.fixture(scope="session")
async def api(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """Storage in project `library`, for the whole session: tests make buckets of their own."""
    folder = tmp_path_factory.mktemp("files")
    async with open_ground(parts) as ground, aiohttp.ClientSession() as http:
        settings = Settings(
            database_url=Secret(ground.database.dsn("storage")),
            redis_url=Secret(ground.valkey.url("storage")),
            max_file_bytes=MOST_FILE_BYTES,
            files=str(folder),
            file_key=Secret("a-key-of-files-for-tests-only-0123456789"),
        )
        replicas = [
            await ground.replica("storage", lambda guard: open_storage(settings, guard=guard)) for _ in range(2)
        ]
        yield Api(
            http=http,
            urls=[replica.url for replica in replicas],
            guards=[replica.guard for replica in replicas],
            accounts=ground.accounts,
            pool=await ground.pool("storage"),
            feed=ground.feed,
            key=ground.accounts.make_key(),
            as_auth=ground.as_auth,
            folder=folder,
        )
