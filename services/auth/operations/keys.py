"""API keys of projects; `ticket` is as in `services.auth.operations.projects`."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from services.auth.domain.list_queries import ListQuery
from services.auth.domain.projects import check_name
from services.auth.domain.records import Key
from services.auth.operations.revoking import require_lease, settled, tell
from services.auth.store import keys as store
from services.auth.store.projects import get_project
from shared.contracts import scopes as vocabulary
from shared.contracts import subjects
from shared.contracts.credentials import DIGEST_BYTES
from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.guard.receipt import Receipt
from shared.kernel.clock import now
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.kernel.ids import is_id
from shared.postgres.pool import Pool

NEVER = datetime.max.replace(tzinfo=UTC)


class KeyChange(NamedTuple):
    """What is to be changed of a key; None stays. `expire` is a date of ISO 8601, empty: never."""

    name: str | None = None
    scopes: Sequence[str] | None = None
    expire: str | None = None


async def create_key(
    pool: Pool,
    revocations: Revocations,
    *,
    project: str,
    id_: str,
    secret_digest: bytes,
    name: str,
    scopes: Sequence[str] | None,
    expire: str,
    by: str,
    ticket: uuid.UUID | None = None,
) -> tuple[Key, Receipt]:
    """Make a key, of whose secret only the SHA-256 is told; `scopes` None: all that there are.

    Raises `ArgumentInvalid` for an id or digest that is none, an unknown scope, or a date that is none,
    `Refusal(KEY_ALREADY_EXISTS)`, `Refusal(PROJECT_NOT_FOUND)`.
    """
    if not is_id(id_):
        raise ArgumentInvalid("keyId", "it must have 1 to 36 of a-z, A-Z, 0-9, period, hyphen and underscore")
    if len(secret_digest) != DIGEST_BYTES:
        raise ArgumentInvalid("secret", "of a key's secret its SHA-256 is told")
    check_name(name)
    async with pool.acquire() as connection, connection.transaction():
        key = await store.insert_key(
            connection,
            project=project,
            id_=id_,
            name=name,
            scopes=_known(vocabulary.ALL if scopes is None else scopes),
            secret_digest=secret_digest,
            expires_at=_date(expire),
        )
        ticket = await tell(connection, "key.created", subjects.key(project, key.id), by=by, ticket=ticket)
    return key, await revocations.confirm(ticket)


async def list_keys(pool: Pool, *, project: str, query: ListQuery) -> tuple[int, list[Key]]:
    """Return how many of a project's keys match and those of the page; raises `Refusal(PROJECT_NOT_FOUND)`."""
    async with pool.acquire() as connection:
        await get_project(connection, project)
        return await store.list_keys(connection, project, query)


async def get_key(pool: Pool, *, project: str, id_: str) -> Key:
    """Return a key; raises `Refusal(KEY_NOT_FOUND)`."""
    async with pool.acquire() as connection:
        return await store.get_key(connection, project, id_)


async def update_key(
    pool: Pool,
    guard: Guard,
    revocations: Revocations,
    *,
    project: str,
    id_: str,
    change: KeyChange,
    by: str,
    granter: str = "",
    ticket: uuid.UUID | None = None,
) -> tuple[Key, Receipt]:
    """Change a key, in force everywhere on return.

    `granter` is the key that asks: it gives no scope that it does not hold itself at that moment, and puts off no end
    beyond its own; empty: the operator.
    Raises `Refusal(KEY_NOT_FOUND)`, `Refusal(GENERAL_UNAUTHORIZED_SCOPE)`, `ArgumentInvalid`, `Unavailable`.
    """
    require_lease(guard)
    if change.name is not None:
        check_name(change.name)
    async with pool.acquire() as connection, connection.transaction():
        locked = await store.lock_keys(connection, project, {id_, granter})
        if (key := locked.get(id_)) is None:
            raise store.not_found(project, id_)
        scopes = key.scopes if change.scopes is None else _known(change.scopes)
        expires_at = key.expires_at if change.expire is None else _date(change.expire)
        if granter:
            _check_grant(scopes, of=key, granter=locked.get(granter))
            _check_end(expires_at, of=key, granter=locked.get(granter))
        changed = await store.update_key(
            connection,
            project,
            id_,
            name=key.name if change.name is None else change.name,
            scopes=scopes,
            expires_at=expires_at,
        )
        ticket = await tell(connection, "key.updated", subjects.key(project, id_), by=by, ticket=ticket)
    return changed, await revocations.confirm(ticket)


async def delete_key(
    pool: Pool, revocations: Revocations, *, project: str, id_: str, by: str, ticket: uuid.UUID | None = None
) -> Receipt:
    """Delete a key, refused everywhere on return; raises `Refusal(KEY_NOT_FOUND)`."""
    key = subjects.key(project, id_)
    async with settled(pool, revocations, key), pool.acquire() as connection, connection.transaction():
        await store.delete_key(connection, project, id_)
        ticket = await tell(connection, "key.deleted", key, by=by, ticket=ticket)
    return await revocations.confirm(ticket)


def _known(scopes: Sequence[str] | frozenset[str]) -> list[str]:
    chosen = sorted(set(scopes))
    if unknown := [scope for scope in chosen if scope not in vocabulary.ALL]:
        raise ArgumentInvalid("scopes", f"there is no scope {unknown[0]}")
    return chosen


def _check_grant(scopes: list[str], *, of: Key, granter: Key | None) -> None:
    held = set(of.scopes) | set(granter.scopes if granter else ())
    if beyond := [scope for scope in scopes if scope not in held]:
        raise Refusal(
            ErrorType.GENERAL_UNAUTHORIZED_SCOPE, f"A key cannot give scope {beyond[0]}, which it does not hold."
        )


def _check_end(expires_at: datetime | None, *, of: Key, granter: Key | None) -> None:
    ends = [key.expires_at or NEVER for key in (of, granter) if key is not None]
    if (expires_at or NEVER) > max(ends):
        raise ArgumentInvalid("expire", "a key puts off neither its own end nor another's beyond its own")


def _date(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentInvalid("expire", "it must be a date of ISO 8601") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= now():
        raise ArgumentInvalid("expire", "it must lie in the future")
    return moment
