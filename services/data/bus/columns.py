"""What the command line asks about encrypted columns."""

from services.data.operations import resealing as operations
from services.data.operations.deps import DataDeps
from shared.contracts.columns import ResealColumns, ResealProgress
from shared.messaging.answers import Requests

requests = Requests[DataDeps]()


@requests.answers(ResealColumns)
async def reseal_columns(deps: DataDeps, request: ResealColumns) -> ResealProgress:
    """Seal some values again."""
    return await operations.reseal_columns(deps.pool, deps.seal, key=request.key)
