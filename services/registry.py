"""What all services declare, for whatever needs it at once: the OpenAPI document, the gateway's routes, tests."""

from services.auth import endpoints as auth
from services.auth import messages as auth_messages
from services.data import endpoints as data
from services.data import messages as data_messages
from services.storage import endpoints as storage
from services.storage import messages as storage_messages
from services.token import endpoints as token
from services.token import messages as token_messages
from shared.process import health as system
from shared.web.endpoint import Endpoint

MODULES = {"auth": auth.MODULES, "token": token.MODULES, "data": data.MODULES, "storage": storage.MODULES}
"""The modules that declare endpoints, of each service."""

MESSAGES = {"auth": auth_messages, "token": token_messages, "data": data_messages, "storage": storage_messages}
"""What each service answers and hears on the bus."""

ENDPOINTS: dict[str, list[Endpoint]] = {
    service: [endpoint for module in modules for endpoint in module.routes.endpoints]
    for service, modules in MODULES.items()
}
"""The declared endpoints of each service."""

ALL = [*(endpoint for endpoints in ENDPOINTS.values() for endpoint in endpoints), *system.routes.endpoints]
"""These, and those that every service has."""
