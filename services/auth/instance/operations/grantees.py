"""What the doctor finds in permissions: who is named there and is not there."""

from services.auth.instance.store.grantees import list_missing
from shared.contracts.findings import Finding, Verdict
from shared.contracts.grants import ListGrantees, ListGranteesInFiles
from shared.kernel.errors import Refusal
from shared.messaging.bus import Bus
from shared.postgres.pool import Pool

MOST_LOOKED_AT = 10_000
MOST_NAMED = 5
ASK_S = 5.0


async def examine_grantees(pool: Pool, bus: Bus) -> Finding:
    """Look for users, teams and memberships that permissions name and that are not there.

    No user holds such a role, but a user whom a key creates with the same id will.
    """
    try:
        named = [
            await bus.ask(ListGrantees(limit=MOST_LOOKED_AT), timeout_s=ASK_S),
            await bus.ask(ListGranteesInFiles(limit=MOST_LOOKED_AT), timeout_s=ASK_S),
        ]
    except Refusal as refusal:
        return _finding(Verdict.WARN, f"cannot be looked at: {refusal.message}")
    grantees = tuple(dict.fromkeys(one for some in named for one in some.grantees))
    is_complete = all(some.is_complete for some in named) and len(grantees) <= MOST_LOOKED_AT
    async with pool.acquire() as connection:
        missing = await list_missing(connection, grantees[:MOST_LOOKED_AT])
    scope = "" if is_complete else f" (of the first {MOST_LOOKED_AT:,})"
    if not missing:
        return _finding(Verdict.OK, f"all users, teams and memberships{scope} that permissions name exist")
    some = ", ".join(f"{role} in project {project}" for project, role in missing[:MOST_NAMED])
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return _finding(
        Verdict.WARN,
        f"{len(missing)}{scope} that permissions name do not exist: {some}{more}. If a key later creates one with such"
        " an id, it gets these rights",
    )


def _finding(verdict: Verdict, message: str) -> Finding:
    return Finding(verdict=verdict, part="permissions", check="grantees", message=message)
