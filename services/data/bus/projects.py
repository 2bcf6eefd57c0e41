"""What the end of a project means to its databases."""

from services.data.operations.deps import DataDeps
from services.data.operations.incarnations import purge_project
from shared.contracts.events import ProjectDeleted


async def purge_deleted_project(deps: DataDeps, event: ProjectDeleted) -> None:
    """Delete the databases of an incarnation of a project; raises `PurgeHeldUp` where some are left."""
    await purge_project(deps.pool, event.project_id, event.incarnation)
