"""Projects, and the switches that hold for all of one.

`ticket` is the id that the change's entry in the outbox is to have, where whoever asks has chosen one.
"""

import uuid

from services.auth.domain.projects import ProjectChange, StoredProject, check_name, check_origins
from services.auth.operations.revoking import require_lease, settled, tell
from services.auth.store import projects as store
from shared.contracts import subjects
from shared.contracts.events import ProjectDeleted
from shared.contracts.principal import Project
from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.guard.receipt import Receipt
from shared.kernel.errors import ArgumentInvalid
from shared.kernel.ids import is_project_id
from shared.messaging.outbox import publish
from shared.postgres.pool import Pool


async def create_project(
    pool: Pool,
    revocations: Revocations,
    *,
    id_: str,
    name: str,
    origins: tuple[str, ...],
    by: str,
    ticket: uuid.UUID | None = None,
) -> tuple[Project, Receipt]:
    """Make a project, known everywhere on return; raises `Refusal(PROJECT_ALREADY_EXISTS)`, `ArgumentInvalid`."""
    if not is_project_id(id_):
        raise ArgumentInvalid("projectId", "it must have 1 to 36 of a-z, 0-9 and hyphen, and not be console")
    check_name(name)
    check_origins(origins)
    async with pool.acquire() as connection, connection.transaction():
        await store.insert_project(connection, id_=id_, name=name, origins=list(origins))
        ticket = await tell(connection, "project.created", subjects.project(id_), by=by, ticket=ticket)
        made = await store.get_project(connection, id_)
    return made.project, await revocations.confirm(ticket)


async def list_projects(pool: Pool) -> list[Project]:
    """Return all projects."""
    async with pool.acquire() as connection:
        return await store.list_projects(connection)


async def get_project(pool: Pool, id_: str) -> StoredProject:
    """Return a project; raises `Refusal(PROJECT_NOT_FOUND)`."""
    async with pool.acquire() as connection:
        return await store.get_project(connection, id_)


async def update_project(
    pool: Pool,
    guard: Guard,
    revocations: Revocations,
    *,
    id_: str,
    incarnation: int | None = None,
    change: ProjectChange,
    by: str,
    ticket: uuid.UUID | None = None,
) -> tuple[StoredProject, Receipt]:
    """Change a project, in force everywhere on return; of this incarnation, where one is named.

    Raises `Refusal(PROJECT_NOT_FOUND)`, `ArgumentInvalid`, `Unavailable`.
    """
    require_lease(guard)
    change.check()
    async with pool.acquire() as connection, connection.transaction():
        if incarnation is not None:
            await store.hold_project(connection, id_, incarnation)
        changed = await store.update_project(connection, id_, change)
        ticket = await tell(connection, "project.updated", subjects.project(id_), by=by, ticket=ticket)
    return changed, await revocations.confirm(ticket)


async def delete_project(
    pool: Pool, revocations: Revocations, *, id_: str, by: str, ticket: uuid.UUID | None = None
) -> Receipt:
    """Delete a project: refused everywhere on return, while its databases go; raises `Refusal(PROJECT_NOT_FOUND)`."""
    project = subjects.project(id_)
    async with settled(pool, revocations, project), pool.acquire() as connection, connection.transaction():
        incarnation = await store.delete_project(connection, id_)
        ticket = await tell(connection, "project.deleted", project, by=by, ticket=ticket)
        await publish(connection, ProjectDeleted(project=id_, incarnation=incarnation))
    return await revocations.confirm(ticket)
