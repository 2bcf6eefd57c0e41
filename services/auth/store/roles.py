"""What PostgreSQL tells of the roles of the services."""

from typing import NamedTuple

from shared.postgres.pool import Connection

_OVERREACHING = """
    WITH services AS (
        SELECT nspname AS service, nspowner AS role FROM pg_namespace WHERE nspname IN ('auth', 'token', 'data')
    )
    SELECT own.service, CASE WHEN rolsuper THEN 'everything' ELSE other.nspname END AS sees
    FROM services AS own
    JOIN pg_roles ON pg_roles.oid = own.role
    JOIN pg_namespace AS other ON other.nspowner IN (SELECT role FROM services)
    WHERE rolsuper
       OR has_schema_privilege(own.role, other.oid, 'USAGE')
          AND (own.service, other.nspname) NOT IN (('auth', 'feed'), ('token', 'feed'))
          AND CASE WHEN other.nspname IN ('auth', 'token', 'data') THEN other.nspname <> own.service
                   ELSE other.nspowner <> own.role END
    GROUP BY 1, 2 ORDER BY 1, 2
"""


class Overreach(NamedTuple):
    """A service whose role sees a schema of another's, or `everything`."""

    service: str
    sees: str


async def list_overreaching(connection: Connection) -> list[Overreach]:
    """Return each service whose role sees more than its own; token sees the outbox, `feed`."""
    return [Overreach(*row) for row in await connection.fetch(_OVERREACHING)]


async def find_server_version(connection: Connection) -> int:
    """Return PostgreSQL's version as a number: 180001 is 18.1."""
    return int(await connection.fetchval("SHOW server_version_num"))


async def find_server_time(connection: Connection) -> float:
    """Return PostgreSQL's wall clock, in Unix seconds."""
    return float(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())"))
