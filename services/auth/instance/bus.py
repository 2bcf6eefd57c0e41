"""What the command line asks about the instance as a whole."""

import asyncio

from services.auth.deps import AuthDeps
from services.auth.instance.operations.doctor import examine_deployment
from services.auth.instance.operations.grantees import examine_grantees
from shared.contracts.dead_letters import DeadLetters, ListDeadLetters, RetryDeadLetters
from shared.contracts.findings import ExamineDeployment, Findings
from shared.messaging import dead_letters
from shared.messaging.answers import Requests

requests = Requests[AuthDeps]()


@requests.answers(ListDeadLetters)
async def list_dead_letters(deps: AuthDeps, _: ListDeadLetters) -> DeadLetters:
    """Return the dead letters of every service."""
    return await dead_letters.list_dead_letters(deps.redis)


@requests.answers(RetryDeadLetters)
async def retry_dead_letters(deps: AuthDeps, request: RetryDeadLetters) -> DeadLetters:
    """Put dead letters back into their streams."""
    return await dead_letters.retry_dead_letters(deps.redis, service=request.service, entry=request.entry)


@requests.answers(ExamineDeployment)
async def examine(deps: AuthDeps, _: ExamineDeployment) -> Findings:
    """Look at everything that the promise rests on."""
    findings, grantees = await asyncio.gather(
        examine_deployment(deps.pool, deps.redis, deps.deployment), examine_grantees(deps.pool, deps.bus)
    )
    return Findings(findings=(*findings, grantees))
