"""The OpenAPI document of all services, from their declarations. The build of the package writes it into the wheel."""

from services.auth.instance.http import health
from services.auth.people.http import account, imports, sessions, users
from services.auth.projects.http import keys, platforms, project
from services.auth.teams.http import memberships, teams
from services.data.http import legacy
from services.token.http import jwks, jwts
from shared.process import health as system
from shared.web.openapi import document

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


ENDPOINTS = [endpoint for module in MODULES for endpoint in module.routes.endpoints]


def whole() -> bytes:
    """Return the document."""
    return document(ENDPOINTS)
