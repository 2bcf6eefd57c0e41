"""Projects."""

from services.auth.operations.revoking import settled, tell
from services.auth.store import projects as store
from shared.contracts import subjects
from shared.contracts.events import ProjectDeleted
from shared.contracts.principal import Project
from shared.guard.barrier import Revocations
from shared.guard.receipt import Receipt
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.kernel.ids import is_project_id
from shared.messaging.outbox import publish
from shared.postgres.pool import Pool

LONGEST_NAME = 128


async def create_project(
    pool: Pool, revocations: Revocations, *, id_: str, name: str, origins: tuple[str, ...], by: str
) -> tuple[Project, Receipt]:
    """Make a project, known everywhere on return; raises `Refusal(PROJECT_ALREADY_EXISTS)`, `ArgumentInvalid`."""
    if not is_project_id(id_):
        raise ArgumentInvalid("projectId", "it must have 1 to 36 of a-z, 0-9 and hyphen, and not be console")
    check_name(name)
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
        check_name(name)
    async with pool.acquire() as connection, connection.transaction():
        await store.update_project(connection, id_, name=name, origins=None if origins is None else list(origins))
        project = await store.find_project(connection, id_)
        if project is None:
            raise no_project(id_)
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
            raise no_project(id_)
        ticket = await tell(connection, "project.deleted", subjects.project(id_), by=by)
        await publish(connection, ProjectDeleted(project=id_))
    return await revocations.confirm(ticket)


def check_name(name: str) -> None:
    """Raise `ArgumentInvalid` where a name is none for a project or key."""
    if not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        raise ArgumentInvalid("name", f"it must have 1 to {LONGEST_NAME} characters")


def no_project(id_: str) -> Refusal:
    """Return what is raised where there is no such project."""
    return Refusal(ErrorType.PROJECT_NOT_FOUND, f"There is no project {id_}.")
