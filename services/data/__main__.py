"""`python -m services.data`: the data service, and the storage service in the same process where it is hosted."""

import contextlib
import os
from collections.abc import AsyncIterator

from services.data.composition import open_data
from services.data.settings import Settings
from services.storage.composition import open_storage
from services.storage.settings import Settings as StorageSettings
from shared.kernel.settings import read_settings
from shared.process.run import run
from shared.process.service import Service, joined


@contextlib.asynccontextmanager
async def open_hosting(settings: Settings) -> AsyncIterator[Service]:
    """Open data, and storage where the settings say how it reaches its database and Redis; they share a guard.

    Raises `SettingsError` and `MigrationError`, with words for the operator.
    """
    storage_settings = None
    if settings.storage_database_url:
        storage_settings = read_settings(
            StorageSettings,
            os.environ,
            database_url=settings.storage_database_url,
            redis_url=settings.storage_redis_url,
        )
    async with open_data(settings) as data:
        if storage_settings is None:
            yield data
            return
        async with open_storage(storage_settings, guard=data.guard) as storage:
            yield joined({"data": data, "storage": storage})


if __name__ == "__main__":
    run(Settings, open_hosting)
