"""What the command line asks about projects and API keys."""

from collections.abc import Iterable

import msgspec

from services.auth.deps import AuthDeps
from services.auth.projects.domain.keys import Key
from services.auth.projects.domain.projects import ProjectChange
from services.auth.projects.operations import keys, projects
from shared.contracts import administration as admin
from shared.contracts.principal import Project
from shared.guard.changing import once
from shared.kernel.clock import wire_date
from shared.messaging.answers import Requests
from shared.queries.limits import MOST_NUMBER
from shared.queries.lists import ListQuery
from shared.queries.tree import Query

requests = Requests[AuthDeps]()


@requests.answers(admin.CreateProject)
async def create_project(deps: AuthDeps, request: admin.CreateProject) -> admin.ProjectRecords:
    """Make a project."""
    receipt = await once(
        deps, request, lambda actor: projects.create_project(deps, actor, name=request.name, origins=request.origins)
    )
    return _projects([(await projects.get_project(deps, request.id)).project], receipt)


@requests.answers(admin.ListProjects)
async def list_projects(deps: AuthDeps, _: admin.ListProjects) -> admin.ProjectRecords:
    """Return all projects."""
    return _projects(await projects.list_projects(deps))


@requests.answers(admin.ShowProject)
async def show_project(deps: AuthDeps, request: admin.ShowProject) -> admin.ProjectRecords:
    """Return a project."""
    return _projects([(await projects.get_project(deps, request.id)).project])


@requests.answers(admin.UpdateProject)
async def update_project(deps: AuthDeps, request: admin.UpdateProject) -> admin.ProjectRecords:
    """Change a project."""
    change = msgspec.convert(request, ProjectChange, from_attributes=True)
    receipt = await once(deps, request, lambda actor: projects.update_project(deps, actor, project_change=change))
    return _projects([(await projects.get_project(deps, request.id)).project], receipt)


@requests.answers(admin.DeleteProject)
async def delete_project(deps: AuthDeps, request: admin.DeleteProject) -> admin.ProjectRecords:
    """Delete a project."""
    return _projects([], await once(deps, request, lambda actor: projects.delete_project(deps, actor)))


@requests.answers(admin.CreateKey)
async def create_key(deps: AuthDeps, request: admin.CreateKey) -> admin.KeyRecords:
    """Make a key."""
    key_input = keys.KeyInput(request.id, request.secret_digest, request.name, request.scopes, request.expire)
    await once(deps, request, lambda actor: keys.create_key(deps, actor, key_input=key_input))
    return _keys([await keys.get_key(deps, request.project_id, key_id=request.id)])


@requests.answers(admin.ListKeys)
async def list_keys(deps: AuthDeps, request: admin.ListKeys) -> admin.KeyRecords:
    """Return all keys of a project."""
    every = ListQuery(query=Query(limit=MOST_NUMBER), total=False)
    return _keys((await keys.list_keys(deps, request.project_id, query=every)).items)


@requests.answers(admin.UpdateKey)
async def update_key(deps: AuthDeps, request: admin.UpdateKey) -> admin.KeyRecords:
    """Change a key."""
    change = keys.KeyChange(name=request.name, scopes=request.scopes, expire=request.expire)
    receipt = await once(
        deps, request, lambda actor: keys.update_key(deps, actor, key_id=request.id, key_change=change)
    )
    return _keys([await keys.get_key(deps, request.project_id, key_id=request.id)], receipt)


@requests.answers(admin.DeleteKey)
async def delete_key(deps: AuthDeps, request: admin.DeleteKey) -> admin.KeyRecords:
    """Delete a key."""
    return _keys([], await once(deps, request, lambda actor: keys.delete_key(deps, actor, key_id=request.id)))


def _projects(listed: Iterable[Project], receipt: str = "") -> admin.ProjectRecords:
    return admin.ProjectRecords(projects=tuple(map(_project, listed)), receipt=receipt)


def _project(project: Project) -> admin.ProjectRecord:
    in_order = {
        "disabled_auth_methods": tuple(sorted(project.disabled_auth_methods)),
        "shown_membership_fields": tuple(sorted(project.shown_membership_fields)),
    }
    return admin.ProjectRecord(**(msgspec.structs.asdict(project) | in_order))


def _keys(listed: Iterable[Key], receipt: str = "") -> admin.KeyRecords:
    return admin.KeyRecords(keys=tuple(map(_key, listed)), receipt=receipt)


def _key(key: Key) -> admin.KeyRecord:
    return admin.KeyRecord(id=key.id, name=key.name, scopes=tuple(key.scopes), expire=wire_date(key.expires_at))
