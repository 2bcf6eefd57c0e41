"""API keys of projects."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from services.auth.deps import AuthDeps
from services.auth.projects.domain.keys import Key, NewKey
from services.auth.projects.domain.projects import check_name
from services.auth.projects.store import keys as store
from services.auth.projects.store.projects import get_project
from shared.contracts import scopes as vocabulary
from shared.contracts import subjects
from shared.contracts.credentials import DIGEST_BYTES
from shared.contracts.ids import KeyId, ProjectId
from shared.contracts.principal import Principal
from shared.contracts.reasons import Reason
from shared.guard.changing import Actor, Changed, SystemActor, changing
from shared.guard.receipt import Receipt
from shared.kernel.clock import now
from shared.kernel.dates import parse_date
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.kernel.ids import is_id
from shared.kernel.page import Page
from shared.queries.lists import ListQuery

NEVER = datetime.max.replace(tzinfo=UTC)


class KeyInput(NamedTuple):
    """A key that a caller wants to create, with only the SHA-256 of its secret; `scopes` None: all scopes."""

    id: KeyId
    secret_digest: bytes
    name: str
    scopes: Sequence[str] | None = None
    expire: str = ""


class KeyChange(NamedTuple):
    """What is to be changed of a key; None stays. `expire` is a date of ISO 8601, empty: never."""

    name: str | None = None
    scopes: Sequence[str] | None = None
    expire: str | None = None


async def create_key(deps: AuthDeps, actor: SystemActor, *, key_input: KeyInput) -> Changed[Key]:
    """Create a key.

    Raises `ArgumentInvalid` for an id or digest that is none, an unknown scope, or a date that is none,
    `Refusal(KEY_ALREADY_EXISTS)`, `Refusal(PROJECT_NOT_FOUND)`.
    """
    if not is_id(key_input.id):
        raise ArgumentInvalid("keyId", "it must be 1 to 36 characters of a-z, A-Z, 0-9, period, hyphen and underscore")
    if len(key_input.secret_digest) != DIGEST_BYTES:
        raise ArgumentInvalid("secret", "it must be the SHA-256 of the key's secret")
    check_name(key_input.name)
    async with changing(deps, actor, Reason.KEY_CREATED, subjects.key(actor.project_id, key_input.id)) as change:
        new = NewKey(
            project_id=actor.project_id,
            id=key_input.id,
            name=key_input.name,
            scopes=_known(vocabulary.ALL if key_input.scopes is None else key_input.scopes),
            secret_digest=key_input.secret_digest,
            expires_at=_date(key_input.expire),
        )
        key = await store.insert_key(change.connection, new)
    return Changed(key, change.receipt)


async def list_keys(deps: AuthDeps, project_id: ProjectId, *, query: ListQuery) -> Page[Key]:
    """Return a page of of a project's keys; raises `Refusal(PROJECT_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        await get_project(connection, project_id)
        return await store.list_keys(connection, project_id, query)


async def get_key(deps: AuthDeps, project_id: ProjectId, *, key_id: KeyId) -> Key:
    """Return a key; raises `Refusal(KEY_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        return await store.get_key(connection, project_id, key_id)


async def update_key(deps: AuthDeps, actor: Actor, *, key_id: KeyId, key_change: KeyChange) -> Changed[Key]:
    """Change a key, in force everywhere on return.

    A key that asks gives no scope that it does not hold itself at that moment, and puts off no end beyond its own; the
    operator may. Raises `Refusal(KEY_NOT_FOUND)`, `Refusal(GENERAL_UNAUTHORIZED_SCOPE)`, `ArgumentInvalid`,
    `Unavailable`.
    """
    project_id = actor.project_id
    granter = actor.key_id if isinstance(actor, Principal) else ""
    if key_change.name is not None:
        check_name(key_change.name)
    about = subjects.key(project_id, key_id)
    async with changing(deps, actor, Reason.KEY_UPDATED, about, side_effect=True) as change:
        locked = await store.lock_keys(change.connection, project_id, {key_id, granter})
        if (key := locked.get(key_id)) is None:
            raise store.not_found(project_id, key_id)
        scopes = key.scopes if key_change.scopes is None else _known(key_change.scopes)
        expires_at = key.expires_at if key_change.expire is None else _date(key_change.expire)
        if granter:
            _check_grant(scopes, of=key, granter=locked.get(granter))
            _check_end(expires_at, of=key, granter=locked.get(granter))
        updated = await store.update_key(
            change.connection,
            project_id,
            key_id,
            name=key.name if key_change.name is None else key_change.name,
            scopes=scopes,
            expires_at=expires_at,
        )
    return Changed(updated, change.receipt)


async def delete_key(deps: AuthDeps, actor: Actor, *, key_id: KeyId) -> Receipt | None:
    """Delete a key, refused everywhere on return; raises `Refusal(KEY_NOT_FOUND)`."""
    async with changing(deps, actor, Reason.KEY_DELETED, subjects.key(actor.project_id, key_id)) as change:
        await store.delete_key(change.connection, actor.project_id, key_id)
    return change.receipt


def _known(scopes: Sequence[str] | frozenset[str]) -> list[str]:
    chosen = sorted(set(scopes))
    if unknown := [scope for scope in chosen if scope not in vocabulary.ALL]:
        raise ArgumentInvalid("scopes", f"unknown scope {unknown[0]}")
    return chosen


def _check_grant(scopes: list[str], *, of: Key, granter: Key | None) -> None:
    held = set(of.scopes) | set(granter.scopes if granter else ())
    if beyond := [scope for scope in scopes if scope not in held]:
        raise Refusal(
            ErrorType.GENERAL_UNAUTHORIZED_SCOPE, f"A key cannot grant the scope {beyond[0]}, which it does not have."
        )


def _check_end(expires_at: datetime | None, *, of: Key, granter: Key | None) -> None:
    ends = [key.expires_at or NEVER for key in (of, granter) if key is not None]
    if (expires_at or NEVER) > max(ends):
        raise ArgumentInvalid("expire", "a key cannot extend its own expiry, or another key's beyond its own")


def _date(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = parse_date(text)
    except ValueError as error:
        raise ArgumentInvalid("expire", "it must be an ISO 8601 date") from error
    if moment <= now():
        raise ArgumentInvalid("expire", "it must be in the future")
    return moment
