"""Projects and their API keys."""

from datetime import UTC, datetime

from services.auth.domain.records import Key
from services.auth.operations.revoking import settled, tell
from services.auth.store import keys as key_store
from services.auth.store import projects as store
from shared.contracts import scopes as vocabulary
from shared.contracts import subjects
from shared.contracts.credentials import digest, new_key_secret
from shared.contracts.events import ProjectDeleted
from shared.contracts.principal import Project
from shared.guard.barrier import Revocations
from shared.guard.receipt import Receipt
from shared.kernel.clock import now
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.kernel.ids import is_project_id, unique_id
from shared.messaging.outbox import publish
from shared.postgres.pool import Pool

LONGEST_NAME = 128


async def create_project(
    pool: Pool, revocations: Revocations, *, id_: str, name: str, origins: tuple[str, ...], by: str
) -> tuple[Project, Receipt]:
    """Make a project, known everywhere on return; raises `Refusal(PROJECT_ALREADY_EXISTS)`, `ArgumentInvalid`."""
    if not is_project_id(id_):
        raise ArgumentInvalid("projectId", "it must have 1 to 36 of a-z, 0-9 and hyphen, and not be console")
    _check_name(name)
    async with pool.acquire() as connection, connection.transaction():
        await store.insert_project(connection, id_=id_, name=name, origins=list(origins))
        ticket = await tell(connection, "project.created", subjects.project(id_), by=by)
        project = await store.find_project(connection, id_)
    assert project is not None  # noqa: S101 made a moment ago, in the same transaction
    return project, await revocations.confirm(ticket)


async def list_projects(pool: Pool) -> list[Project]:
    """Return all projects."""
    async with pool.acquire() as connection:
        return await store.list_projects(connection)


async def update_project(
    pool: Pool, revocations: Revocations, *, id_: str, name: str | None, origins: tuple[str, ...] | None, by: str
) -> tuple[Project, Receipt]:
    """Change a project, in force everywhere on return; raises `Refusal(PROJECT_NOT_FOUND)`."""
    if name is not None:
        _check_name(name)
    async with pool.acquire() as connection, connection.transaction():
        await store.update_project(connection, id_, name=name, origins=None if origins is None else list(origins))
        project = await store.find_project(connection, id_)
        if project is None:
            raise _no_project(id_)
        ticket = await tell(connection, "project.updated", subjects.project(id_), by=by)
    return project, await revocations.confirm(ticket)


async def delete_project(pool: Pool, revocations: Revocations, *, id_: str, by: str) -> Receipt:
    """Delete a project: refused everywhere on return, while its databases go; raises `Refusal(PROJECT_NOT_FOUND)`."""
    async with (
        settled(pool, revocations, subjects.project(id_)),
        pool.acquire() as connection,
        connection.transaction(),
    ):
        if not await store.delete_project(connection, id_):
            raise _no_project(id_)
        ticket = await tell(connection, "project.deleted", subjects.project(id_), by=by)
        await publish(connection, ProjectDeleted(project=id_))
    return await revocations.confirm(ticket)


async def create_key(
    pool: Pool,
    revocations: Revocations,
    *,
    project: str,
    name: str,
    scopes: tuple[str, ...] | None,
    expire: str,
    by: str,
) -> tuple[Key, str]:
    """Make a key, and return it with the only copy of its secret.

    Raises `ArgumentInvalid` for an unknown scope or a date that is none, `Refusal(PROJECT_NOT_FOUND)`.
    """
    _check_name(name)
    chosen = sorted(vocabulary.ALL if scopes is None else scopes)
    if unknown := [scope for scope in chosen if scope not in vocabulary.ALL]:
        raise ArgumentInvalid("scopes", f"there is no scope {unknown[0]}")
    secret = new_key_secret()
    async with pool.acquire() as connection, connection.transaction():
        key = await key_store.insert_key(
            connection,
            project=project,
            id_=unique_id(),
            name=name,
            scopes=chosen,
            secret_digest=digest(secret),
            expires_at=_date(expire),
        )
        ticket = await tell(connection, "key.created", subjects.key(project, key.id), by=by)
    await revocations.confirm(ticket)
    return key, secret


async def list_keys(pool: Pool, *, project: str) -> list[Key]:
    """Return a project's keys; raises `Refusal(PROJECT_NOT_FOUND)`."""
    async with pool.acquire() as connection:
        if await store.find_project(connection, project) is None:
            raise _no_project(project)
        return await key_store.list_keys(connection, project)


async def delete_key(pool: Pool, revocations: Revocations, *, project: str, id_: str, by: str) -> Receipt:
    """Delete a key, refused everywhere on return; raises `Refusal(KEY_NOT_FOUND)`."""
    async with (
        settled(pool, revocations, subjects.key(project, id_)),
        pool.acquire() as connection,
        connection.transaction(),
    ):
        if not await key_store.delete_key(connection, project, id_):
            raise Refusal(ErrorType.KEY_NOT_FOUND, f"There is no key {id_} in project {project}.")
        ticket = await tell(connection, "key.deleted", subjects.key(project, id_), by=by)
    return await revocations.confirm(ticket)


def _check_name(name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        raise ArgumentInvalid("name", f"it must have 1 to {LONGEST_NAME} characters")


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


def _no_project(id_: str) -> Refusal:
    return Refusal(ErrorType.PROJECT_NOT_FOUND, f"There is no project {id_}.")
