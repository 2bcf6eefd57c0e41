"""API keys, as they are kept."""

from datetime import datetime

import msgspec


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key; `expires_at` None: never."""

    project: str
    id: str
    name: str
    scopes: list[str]
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
