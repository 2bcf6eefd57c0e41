"""Every module that declares endpoints is in the registry: no document, route table or test can forget one."""

import importlib
import pkgutil

import services
from services.registry import MODULES
from shared.web.endpoint import Routes


def declaring(service: str) -> set[str]:
    """The names of the modules of a service's `http` rooms that declare endpoints."""
    package = importlib.import_module(f"{services.__name__}.{service}")
    names = {module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")}
    modules = [importlib.import_module(name) for name in names if name.split(".")[-2] == "http"]
    return {module.__name__ for module in modules if isinstance(getattr(module, "routes", None), Routes)}


def test_the_registry_names_every_module_that_declares_endpoints() -> None:
    for service, modules in MODULES.items():
        assert {module.__name__ for module in modules} == declaring(service)
