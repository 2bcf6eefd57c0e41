"""What the command line asks about rights."""

from services.data.operations import explanations as operations
from services.data.operations.deps import DataDeps
from shared.contracts.explanations import ExplainRow, Explanation
from shared.messaging.answers import Requests

requests = Requests[DataDeps]()


@requests.answers(ExplainRow)
async def explain_row(deps: DataDeps, request: ExplainRow) -> Explanation:
    """Explain what a user may do with a row."""
    return await operations.explain_row(deps.catalogue, deps.bus, request)
