"""Web platforms: whose pages may call. A change of one holds everywhere on return."""

from services.auth.deps import AuthDeps
from services.auth.projects.domain.projects import Platform
from services.auth.projects.store import platforms as store
from services.auth.projects.store.projects import hold_project
from shared.contracts import subjects
from shared.contracts.ids import PlatformId, ProjectId
from shared.contracts.principal import Principal
from shared.contracts.reasons import Reason
from shared.guard.changing import Changed, changing
from shared.guard.receipt import Receipt
from shared.kernel.ids import chosen_id
from shared.kernel.page import Page
from shared.queries.lists import ListQuery


async def create_platform(
    deps: AuthDeps, principal: Principal, *, platform_id: PlatformId, name: str, hostname: str
) -> Changed[Platform]:
    """Make a platform; raises `Refusal(PLATFORM_ALREADY_EXISTS)`, `Refusal(PROJECT_NOT_FOUND)`, `Unavailable`."""
    project_id = principal.project_id
    about = subjects.project(project_id)
    async with changing(deps, principal, Reason.PLATFORM_CREATED, about, side_effect=True) as change:
        await hold_project(change.connection, project_id, principal.project_incarnation)
        platform = await store.insert_platform(
            change.connection, project_id, chosen_id(platform_id), name=name, hostname=hostname
        )
    return Changed(platform, change.receipt)


async def list_platforms(deps: AuthDeps, project_id: ProjectId, *, query: ListQuery) -> Page[Platform]:
    """Return a page of of a project's platforms."""
    async with deps.pool.acquire() as connection:
        return await store.list_platforms(connection, project_id, query)


async def get_platform(deps: AuthDeps, project_id: ProjectId, *, platform_id: PlatformId) -> Platform:
    """Return a platform; raises `Refusal(PLATFORM_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        return await store.get_platform(connection, project_id, platform_id)


async def update_platform(
    deps: AuthDeps, principal: Principal, *, platform_id: PlatformId, name: str, hostname: str
) -> Changed[Platform]:
    """Change a platform; raises `Refusal(PLATFORM_NOT_FOUND)`, `Unavailable`."""
    project_id = principal.project_id
    about = subjects.project(project_id)
    async with changing(deps, principal, Reason.PLATFORM_UPDATED, about, side_effect=True) as change:
        platform = await store.update_platform(change.connection, project_id, platform_id, name=name, hostname=hostname)
    return Changed(platform, change.receipt)


async def delete_platform(deps: AuthDeps, principal: Principal, *, platform_id: PlatformId) -> Receipt | None:
    """Delete a platform; raises `Refusal(PLATFORM_NOT_FOUND)`, `Unavailable`."""
    project_id = principal.project_id
    async with changing(deps, principal, Reason.PLATFORM_DELETED, subjects.project(project_id)) as change:
        await store.delete_platform(change.connection, project_id, platform_id)
    return change.receipt
