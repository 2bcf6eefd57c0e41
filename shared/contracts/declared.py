"""All requests that the modules of this package declare."""

import importlib
import pkgutil
from functools import cache
from typing import Any

import shared.contracts
from shared.contracts.requests import Request


def requests_to(service: str) -> frozenset[type[Request[Any]]]:  # Any: requests with answers of every kind
    """Return the requests that a service must answer."""
    return frozenset(kind for kind in _requests() if service == kind.SERVICE)


@cache
def _requests() -> frozenset[type[Request[Any]]]:  # Any: as above
    names = [module.name for module in pkgutil.iter_modules(shared.contracts.__path__, "shared.contracts.")]
    values = [value for name in names for value in vars(importlib.import_module(name)).values()]
    return frozenset(
        value for value in values if isinstance(value, type) and issubclass(value, Request) and "TYPE" in vars(value)
    )
