"""PostgreSQL's settings, as far as the promise rests on them: what was committed must not come undone."""

import asyncpg

from shared.contracts.findings import Finding, Verdict
from shared.postgres.pool import Connection

_SETTINGS = """
    SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')
"""

_FSYNC = {"off": (Verdict.FAIL, "is off: a crash undoes revocations, or breaks the database. Set fsync on")}
_PAGES = {
    "off": (
        Verdict.WARN,
        "is off: a crash may tear pages, unless the file system never does. Set full_page_writes on",
    )
}
_SYNCHRONOUS = {
    "off": (Verdict.FAIL, "is off: a crash undoes revocations that were confirmed. Set synchronous_commit on"),
    "local": (Verdict.FAIL, "is local: a fail-over undoes revocations that were confirmed. Set synchronous_commit on"),
    "remote_write": (Verdict.WARN, "is remote_write: a standby may lose what it had not flushed. Better on"),
}
_BAD = {"fsync": _FSYNC, "full_page_writes": _PAGES, "synchronous_commit": _SYNCHRONOUS}


async def examine_database_settings(connection: Connection) -> list[Finding]:
    """Look at what PostgreSQL may lose of the commits of this connection's role."""
    try:
        rows = await connection.fetch(_SETTINGS)
    except asyncpg.InsufficientPrivilegeError:
        rows = []
    values = {row["name"]: row["setting"] for row in rows}
    return [_finding(name, values.get(name)) for name in _BAD]


def database_finding(verdict: Verdict, check: str, message: str) -> Finding:
    """Return a finding about PostgreSQL."""
    return Finding(verdict=verdict, part="postgresql", check=check, message=message)


def _finding(name: str, value: str | None) -> Finding:
    if value is None:
        return database_finding(Verdict.WARN, name, "cannot be read: make sure that it is on")
    verdict, message = _BAD[name].get(value, (Verdict.OK, f"is {value}"))
    return database_finding(verdict, name, message)
