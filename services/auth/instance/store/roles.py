"""What PostgreSQL tells of the roles of the services."""

from typing import NamedTuple

from shared.messaging.names import SERVICES
from shared.postgres.pool import SEARCH_PATH, Connection

_OVERREACHING = """
    WITH services AS (
        SELECT nspname AS service, nspowner AS role FROM pg_namespace WHERE nspname = ANY($1::text[])
    )
    SELECT own.service, CASE WHEN rolsuper THEN 'everything' ELSE other.nspname END AS sees
    FROM services AS own
    JOIN pg_roles ON pg_roles.oid = own.role
    JOIN pg_namespace AS other ON other.nspowner IN (SELECT role FROM services)
    WHERE rolsuper
       OR has_schema_privilege(own.role, other.oid, 'USAGE')
          AND (own.service, other.nspname) NOT IN (('auth', 'feed'), ('token', 'feed'))
          AND CASE WHEN other.nspname = ANY($1::text[]) THEN other.nspname <> own.service
                   ELSE other.nspowner <> own.role END
    GROUP BY 1, 2 ORDER BY 1, 2
"""

_SERVICES = """
    WITH services AS (
        SELECT nspname AS service, pg_roles.* FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner
        WHERE nspname = ANY($1::text[])
    )
"""
_RIGHTS = f"""
    {_SERVICES}
    SELECT service, 'may create schemas' FROM services
    WHERE NOT rolsuper AND has_database_privilege(oid, current_database(), 'CREATE')
    UNION ALL
    SELECT service, 'may create temporary tables' FROM services
    WHERE NOT rolsuper AND has_database_privilege(oid, current_database(), 'TEMP')
    UNION ALL
    SELECT service, 'may manage roles, databases or replication' FROM services
    WHERE rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
    UNION ALL
    SELECT service, 'is a member of ' || roleid::regrole FROM services JOIN pg_auth_members ON member = services.oid
    ORDER BY 1, 2
"""
_NAMED_AS_ROLES = "SELECT nspname FROM pg_namespace JOIN pg_roles ON rolname = nspname ORDER BY 1"
# PostgreSQL takes what is set for a role in a database before what is set for the role, and that before the database's.
_SEARCH_PATHS = f"""
    {_SERVICES}
    SELECT service, coalesce(split_part(configured.setting, '=', 2), 'not set')
    FROM services LEFT JOIN LATERAL (
        SELECT setting FROM pg_db_role_setting, unnest(setconfig) AS setting
        WHERE setrole IN (services.oid, 0) AND setting LIKE 'search\\_path=%'
          AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        ORDER BY setrole <> 0 DESC, setdatabase <> 0 DESC LIMIT 1
    ) AS configured ON true
    WHERE configured.setting IS DISTINCT FROM 'search_path=' || $2 ORDER BY 1
"""
_UNLIMITED = f"{_SERVICES} SELECT service FROM services WHERE rolconnlimit < 0 OR rolsuper ORDER BY 1"
_OPEN_DATABASES = """
    SELECT datname FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS granted
    WHERE datallowconn AND grantee = 0 AND privilege_type = 'CONNECT' ORDER BY 1
"""


class Fault(NamedTuple):
    """A service, and what of its role is not as it must be."""

    service: str
    what: str


class Overreach(NamedTuple):
    """A service whose role sees a schema of another's, or `everything`."""

    service: str
    sees: str


async def list_overreaching(connection: Connection) -> list[Overreach]:
    """Return each service whose role sees more than its own; token sees the outbox, `feed`."""
    return [Overreach(*row) for row in await connection.fetch(_OVERREACHING, SERVICES)]


async def list_rights(connection: Connection) -> list[Fault]:
    """Return each right that a service's role holds and does not need."""
    return [Fault(*row) for row in await connection.fetch(_RIGHTS, SERVICES)]


async def list_other_search_paths(connection: Connection) -> list[Fault]:
    """Return each service whose role has another search path than `SEARCH_PATH`, and that."""
    return [Fault(*row) for row in await connection.fetch(_SEARCH_PATHS, SERVICES, SEARCH_PATH)]


async def list_schemas_named_as_roles(connection: Connection) -> list[str]:
    """Return the schemas that PostgreSQL would search first for the role of their name."""
    return [row[0] for row in await connection.fetch(_NAMED_AS_ROLES)]


async def list_unlimited(connection: Connection) -> list[str]:
    """Return each service whose role may take all connections."""
    return [row[0] for row in await connection.fetch(_UNLIMITED, SERVICES)]


async def list_open_databases(connection: Connection) -> list[str]:
    """Return the databases of this PostgreSQL that every role may connect to."""
    return [row[0] for row in await connection.fetch(_OPEN_DATABASES)]


async def find_server_version(connection: Connection) -> int:
    """Return PostgreSQL's version as a number: 180001 is 18.1."""
    return int(await connection.fetchval("SHOW server_version_num"))


async def find_server_time(connection: Connection) -> float:
    """Return PostgreSQL's wall clock, in Unix seconds."""
    return float(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())"))
