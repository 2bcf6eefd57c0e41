"""What the end of a project means to its buckets."""

from services.storage.operations.buckets import purge_project
from services.storage.operations.deps import StorageDeps
from shared.contracts.events import ProjectDeleted


async def purge_deleted_project(deps: StorageDeps, event: ProjectDeleted) -> None:
    """Delete the buckets of an incarnation of a project."""
    await purge_project(deps, event.incarnation)
