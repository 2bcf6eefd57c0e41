"""What data answers on the bus, and what it does upon events."""

from services.data.bus import columns, explanations, grants, projects, tables
from services.data.operations.deps import DataDeps
from shared.contracts.events import ProjectDeleted
from shared.messaging.answers import Answers
from shared.messaging.consumer import EventHandlers

MODULES = (columns, explanations, grants, tables)
"""The modules that declare requests."""

ANSWERS = Answers("data", [module.requests for module in MODULES])

EVENTS: EventHandlers[DataDeps] = {
    ProjectDeleted: projects.purge_deleted_project,
}
"""The handler of each event, which may run more than once."""
