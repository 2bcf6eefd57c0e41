"""Projects, and the switches that hold for all of one."""

from services.auth.deps import AuthDeps
from services.auth.projects.domain.origins import normal_origins
from services.auth.projects.domain.projects import ProjectChange, StoredProject, check_name
from services.auth.projects.store import projects as store
from shared.contracts import subjects
from shared.contracts.events import ProjectDeleted
from shared.contracts.ids import ProjectId
from shared.contracts.principal import Principal, Project
from shared.contracts.reasons import Reason
from shared.guard.changing import Actor, Changed, SystemActor, changing
from shared.guard.receipt import Receipt
from shared.kernel.errors import ArgumentInvalid
from shared.kernel.ids import is_project_id
from shared.messaging.outbox import publish


async def create_project(
    deps: AuthDeps, actor: SystemActor, *, name: str, origins: tuple[str, ...]
) -> Changed[Project]:
    """Make the actor's project, known everywhere on return.

    Raises `Refusal(PROJECT_ALREADY_EXISTS)`, `ArgumentInvalid`.
    """
    id_ = actor.project_id
    if not is_project_id(id_):
        raise ArgumentInvalid(
            "projectId", "it must be 1 to 36 characters of a-z, 0-9 and hyphen, and cannot be console"
        )
    check_name(name)
    hosts = normal_origins("origins", origins)
    async with changing(deps, actor, Reason.PROJECT_CREATED, subjects.project(id_)) as change:
        await store.insert_project(change.connection, id_=id_, name=name, origins=list(hosts))
        project = await store.get_project(change.connection, id_)
    return Changed(project.project, change.receipt)


async def list_projects(deps: AuthDeps) -> list[Project]:
    """Return all projects."""
    async with deps.pool.acquire() as connection:
        return await store.list_projects(connection)


async def get_project(deps: AuthDeps, project_id: ProjectId) -> StoredProject:
    """Return a project; raises `Refusal(PROJECT_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        return await store.get_project(connection, project_id)


async def update_project(deps: AuthDeps, actor: Actor, *, project_change: ProjectChange) -> Changed[StoredProject]:
    """Change the actor's project, in force everywhere on return; by a key, of the incarnation that the key belongs to.

    Raises `Refusal(PROJECT_NOT_FOUND)`, `ArgumentInvalid`, `Unavailable`.
    """
    project_change = project_change.normal()
    about = subjects.project(actor.project_id)
    async with changing(deps, actor, Reason.PROJECT_UPDATED, about, side_effect=True) as change:
        if isinstance(actor, Principal):
            await store.hold_project(change.connection, actor.project_id, actor.project_incarnation)
        updated = await store.update_project(change.connection, actor.project_id, project_change)
    return Changed(updated, change.receipt)


async def delete_project(deps: AuthDeps, actor: SystemActor) -> Receipt | None:
    """Delete the actor's project: refused everywhere on return, while its databases go.

    Raises `Refusal(PROJECT_NOT_FOUND)`.
    """
    project_id = actor.project_id
    async with changing(deps, actor, Reason.PROJECT_DELETED, subjects.project(project_id)) as change:
        incarnation = await store.delete_project(change.connection, project_id)
        await publish(change.connection, ProjectDeleted(project_id=project_id, incarnation=incarnation))
    return change.receipt
