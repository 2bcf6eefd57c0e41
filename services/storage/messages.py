"""What storage answers on the bus, and what it does upon events."""

from services.storage.bus import grants, projects
from services.storage.operations.deps import StorageDeps
from shared.contracts.events import ProjectDeleted
from shared.messaging.answers import Answers
from shared.messaging.consumer import EventHandlers

MODULES = (grants,)
"""The modules that declare requests."""

ANSWERS = Answers("storage", [module.requests for module in MODULES])

EVENTS: EventHandlers[StorageDeps] = {
    ProjectDeleted: projects.purge_deleted_project,
}
"""The handler of each event, which may run more than once."""
