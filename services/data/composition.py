"""Where the data service is put together."""

import contextlib
from collections.abc import AsyncIterator

from services.data.settings import Settings
from shared.guard.guard import Guard
from shared.web.service import Service


@contextlib.asynccontextmanager
async def open_data(settings: Settings, *, guard: Guard | None = None) -> AsyncIterator[Service]:
    """Open the service."""
    assert guard is not None
    yield Service(parts=[], guard=guard, checks={})
