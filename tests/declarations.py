"""All declared endpoints, found where they are declared, so that no test can forget one."""

import importlib
import pkgutil

import msgspec

import services
from shared.process import health as system
from shared.web.endpoint import PLACEHOLDER, Endpoint, Routes

__all__ = ["ENDPOINTS", "PLACEHOLDER", "parameter_names"]


def _endpoints() -> list[Endpoint]:
    found = list(system.routes.endpoints)
    for service in ("auth", "token", "data"):
        package = importlib.import_module(f"{services.__name__}.{service}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.split(".")[-2] != "http":
                continue
            routes = getattr(importlib.import_module(module.name), "routes", None)
            if isinstance(routes, Routes):
                found += routes.endpoints
    return found


ENDPOINTS = _endpoints()


def parameter_names(endpoint: Endpoint) -> list[str]:
    """The names of an endpoint's parameters, as they travel."""
    return [] if endpoint.params is None else [field.encode_name for field in msgspec.structs.fields(endpoint.params)]
