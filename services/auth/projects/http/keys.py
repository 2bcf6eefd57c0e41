"""The project service: API keys. The secret of a key is shown only by the command line, when it creates the key."""

from typing import Annotated

import msgspec

from services.auth.deps import AuthDeps
from services.auth.projects.domain.keys import KEY_LIST_FIELDS
from services.auth.projects.domain.keys import Key as KeyOf
from services.auth.projects.operations import keys as operations
from services.auth.projects.operations.keys import KeyChange
from shared.contracts import scopes as vocabulary
from shared.contracts.ids import KeyId
from shared.kernel.clock import wire_date
from shared.kernel.errors import ErrorType, Refusal
from shared.queries.lists import parse_list_query
from shared.web.endpoint import Call, Caller, Routes
from shared.web.parameters import CustomIdOf, IdOf
from shared.web.receipts import add_receipt, with_receipt

routes = Routes[AuthDeps]("project", {"keyId": ErrorType.KEY_NOT_FOUND})

READ, WRITE = ("keys.read",), ("keys.write",)

DEFAULT_LIMIT = 5_000
"""Of keys on a page, unless the call names another number: as many as in Appwrite, where other lists have fewer."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Scopes = Annotated[list[str], msgspec.Meta(max_length=200)]


class CreateKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A key as Appwrite's console makes them."""

    key_id: CustomIdOf[KeyId]
    name: Name
    scopes: Scopes
    expire: str = ""


class ListKeys(msgspec.Struct, frozen=True, kw_only=True):
    """`queries` in the SDKs' syntax; `total` false spares the count."""

    queries: list[str] = []
    total: bool = True


class KeyPath(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One key."""

    key_id: IdOf[KeyId]


class UpdateKey(KeyPath, frozen=True, kw_only=True, rename="camel"):
    """All that the key is to be. `expire` is a date of ISO 8601, left out: never. Unknown scopes are passed over."""

    name: Name
    scopes: Scopes
    expire: str = ""


class Key(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A key. Its secret is not kept, so it cannot be shown."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    name: str
    description: str = ""
    expire: str
    scopes: list[str]
    secret: str = ""
    accessed_at: str = ""
    sdks: list[str] = []


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a project."""

    total: int
    keys: list[Key]


@routes.endpoint(
    "POST",
    "/v1/project/keys",
    name="project.create_key",
    callers=Caller.KEY,
    scopes=WRITE,
    status=201,
    errors=(ErrorType.KEY_CREATION_DENIED,),
)
async def create_key(_: Call[AuthDeps], __: CreateKey) -> Key:
    """Refuse to create a key: no key makes others, `daypass key create` does."""
    raise Refusal(ErrorType.KEY_CREATION_DENIED)


@routes.endpoint("GET", "/v1/project/keys", name="project.list_keys", callers=Caller.KEY, scopes=READ)
async def list_keys(call: Call[AuthDeps], params: ListKeys) -> KeyList:
    """List the project's keys, without their secrets."""
    query = parse_list_query(params.queries, KEY_LIST_FIELDS, total=params.total, limit=DEFAULT_LIMIT)
    page = await operations.list_keys(call.deps, call.project.id, query=query)
    return KeyList(total=page.total, keys=[key_model(key) for key in page.items])


@routes.endpoint("GET", "/v1/project/keys/{keyId}", name="project.get_key", callers=Caller.KEY, scopes=READ)
async def get_key(call: Call[AuthDeps], params: KeyPath) -> Key:
    """Return a key, without its secret."""
    return key_model(await operations.get_key(call.deps, call.project.id, key_id=params.key_id))


@routes.endpoint(
    "PUT",
    "/v1/project/keys/{keyId}",
    name="project.update_key",
    callers=Caller.KEY,
    scopes=WRITE,
    errors=(ErrorType.KEY_NOT_FOUND, ErrorType.REVOCATION_UNCONFIRMED),
)
async def update_key(call: Call[AuthDeps], params: UpdateKey) -> Key:
    """Change a key, in force everywhere; no key gives a scope that it does not hold itself."""
    known = [scope for scope in params.scopes if scope in vocabulary.ALL]
    key_change = KeyChange(name=params.name, scopes=known, expire=params.expire)
    changed = await operations.update_key(call.deps, call.principal, key_id=params.key_id, key_change=key_change)
    return key_model(with_receipt(call, changed))


@routes.endpoint(
    "DELETE",
    "/v1/project/keys/{keyId}",
    name="project.delete_key",
    callers=Caller.KEY,
    scopes=WRITE,
    status=204,
    errors=(ErrorType.KEY_NOT_FOUND, ErrorType.REVOCATION_UNCONFIRMED),
)
async def delete_key(call: Call[AuthDeps], params: KeyPath) -> None:
    """Delete a key, everywhere."""
    add_receipt(call, await operations.delete_key(call.deps, call.principal, key_id=params.key_id))


def key_model(key: KeyOf) -> Key:
    """Write a key."""
    return Key(
        id=key.id,
        created_at=wire_date(key.created_at),
        updated_at=wire_date(key.updated_at),
        name=key.name,
        expire=wire_date(key.expires_at),
        scopes=key.scopes,
    )
