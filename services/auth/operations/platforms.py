"""Web platforms: whose pages may call. A change of one holds everywhere on return."""

from services.auth.domain.list_queries import ListQuery
from services.auth.domain.projects import Platform
from services.auth.operations.revoking import require_lease, settled, tell
from services.auth.store import platforms as store
from services.auth.store.projects import hold_project
from shared.contracts import subjects
from shared.contracts.principal import Project
from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.guard.receipt import Receipt
from shared.kernel.ids import chosen_id
from shared.postgres.pool import Pool


async def create_platform(
    pool: Pool,
    guard: Guard,
    revocations: Revocations,
    project: Project,
    *,
    id_: str,
    name: str,
    hostname: str,
    by: str,
) -> tuple[Platform, Receipt]:
    """Make a platform; raises `Refusal(PLATFORM_ALREADY_EXISTS)`, `Refusal(PROJECT_NOT_FOUND)`, `Unavailable`."""
    require_lease(guard)
    async with pool.acquire() as connection, connection.transaction():
        await hold_project(connection, project.id, project.incarnation)
        made = await store.insert_platform(connection, project.id, chosen_id(id_), name=name, hostname=hostname)
        ticket = await tell(connection, "platform.created", subjects.project(project.id), by=by)
    return made, await revocations.confirm(ticket)


async def list_platforms(pool: Pool, *, project: str, query: ListQuery) -> tuple[int, list[Platform]]:
    """Return how many of a project's platforms match and those of the page."""
    async with pool.acquire() as connection:
        return await store.list_platforms(connection, project, query)


async def get_platform(pool: Pool, *, project: str, id_: str) -> Platform:
    """Return a platform; raises `Refusal(PLATFORM_NOT_FOUND)`."""
    async with pool.acquire() as connection:
        return await store.get_platform(connection, project, id_)


async def update_platform(
    pool: Pool, guard: Guard, revocations: Revocations, *, project: str, id_: str, name: str, hostname: str, by: str
) -> tuple[Platform, Receipt]:
    """Change a platform; raises `Refusal(PLATFORM_NOT_FOUND)`, `Unavailable`."""
    require_lease(guard)
    async with pool.acquire() as connection, connection.transaction():
        changed = await store.update_platform(connection, project, id_, name=name, hostname=hostname)
        ticket = await tell(connection, "platform.updated", subjects.project(project), by=by)
    return changed, await revocations.confirm(ticket)


async def delete_platform(pool: Pool, revocations: Revocations, *, project: str, id_: str, by: str) -> Receipt:
    """Delete a platform; raises `Refusal(PLATFORM_NOT_FOUND)`, `Unavailable`."""
    subject = subjects.project(project)
    async with settled(pool, revocations, subject), pool.acquire() as connection, connection.transaction():
        await store.delete_platform(connection, project, id_)
        ticket = await tell(connection, "platform.deleted", subject, by=by)
    return await revocations.confirm(ticket)
