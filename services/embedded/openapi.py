"""`python -m services.embedded.openapi`: write the OpenAPI document of all services, from their declarations."""

from services.auth.http import account, health, imports, keys, memberships, platforms, project, sessions, teams, users
from services.data.http import legacy
from services.token.http import jwks, jwts
from shared.web import system
from shared.web.openapi import FILE, document

MODULES = (
    account,
    sessions,
    users,
    imports,
    keys,
    project,
    platforms,
    teams,
    memberships,
    health,
    jwts,
    jwks,
    *legacy.MODULES,
    legacy,
    system,
)


def whole() -> bytes:
    """Return the document."""
    return document([endpoint for module in MODULES for endpoint in module.routes.endpoints])


if __name__ == "__main__":
    FILE.write_bytes(whole())
