"""The endpoints of all services, for whatever needs them at once: the OpenAPI document, the gateway's routes, tests."""

from services.auth import endpoints as auth
from services.data import endpoints as data
from services.token import endpoints as token
from shared.process import health as system
from shared.web.endpoint import Endpoint

MODULES = {"auth": auth.MODULES, "token": token.MODULES, "data": data.MODULES}
"""The modules that declare endpoints, of each service."""

ENDPOINTS: dict[str, list[Endpoint]] = {
    service: [endpoint for module in modules for endpoint in module.routes.endpoints]
    for service, modules in MODULES.items()
}
"""The declared endpoints of each service."""

ALL = [*(endpoint for endpoints in ENDPOINTS.values() for endpoint in endpoints), *system.routes.endpoints]
"""These, and those that every service has."""
