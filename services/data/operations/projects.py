"""The project that the command line names, and the command line as a reader of it."""

from shared.contracts.ids import ProjectId
from shared.contracts.principal import Kind, Principal, Project
from shared.contracts.requests import ResolveProject
from shared.kernel.errors import ErrorType, Refusal
from shared.messaging.bus import Bus


async def find_project(bus: Bus, project_id: ProjectId) -> Project:
    """Return a project; raises `Refusal(PROJECT_NOT_FOUND)`, or `Unavailable`."""
    project = (await bus.ask(ResolveProject(project_id=project_id))).project
    if project is None:
        raise Refusal(ErrorType.PROJECT_NOT_FOUND)
    return project


def command_line(project_id: ProjectId) -> Principal:
    """Return the command line as a reader: it sees what a key sees."""
    return Principal(project_id=project_id, kind=Kind.KEY)
