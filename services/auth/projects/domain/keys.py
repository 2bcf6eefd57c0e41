"""API keys, as they are kept."""

from datetime import datetime

import msgspec

from shared.contracts.ids import KeyId, ProjectId
from shared.queries.fields import date, fields, text

KEY_LIST_FIELDS = fields(
    {"name": text, "expire": date, "accessedAt": date, "scopes": text}, arrays=frozenset({"scopes"})
)
"""What lists of keys may be filtered and ordered by; when a key was used is not kept."""


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key to be created, with only the SHA-256 of its secret; else as `Key`."""

    project_id: ProjectId
    id: KeyId
    name: str
    scopes: list[str]
    secret_digest: bytes
    expires_at: datetime | None


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key; `expires_at` None: never."""

    project_id: ProjectId
    id: KeyId
    name: str
    scopes: list[str]
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
