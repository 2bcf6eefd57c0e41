"""What a service declares is in its registry, and what its registry has is told by its docstring."""

import importlib
import pkgutil
import re
from types import ModuleType

import pytest

import services
from services.registry import MESSAGES, MODULES
from shared.contracts.events import Event
from shared.contracts.requests import ADMIN
from shared.messaging.answers import Requests
from shared.messaging.dead_letters import HEAR_EVENTS
from shared.messaging.names import SERVICES
from shared.web.endpoint import Routes


def modules_of(service: str) -> list[ModuleType]:
    """All modules of a service but the one that starts it."""
    package = importlib.import_module(f"{services.__name__}.{service}")
    names = {module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")}
    return [importlib.import_module(name) for name in sorted(names) if not name.endswith("__main__")]


def declaring(service: str, name: str, kind: type) -> set[str]:
    """The names of the modules of a service that declare something under this name."""
    return {module.__name__ for module in modules_of(service) if isinstance(getattr(module, name, None), kind)}


def docstring(service: str) -> dict[str, str]:
    """What the docstring of a service says, by the word before the colon."""
    paragraphs = re.split(r"\n(?=[A-Z][a-z ]+:)", importlib.import_module(f"services.{service}").__doc__ or "")
    return dict(paragraph.split(":", 1) for paragraph in paragraphs if ":" in paragraph)


def names_in(text: str) -> set[str]:
    return set(re.findall(r"`([\w.]+)`", text))


def test_the_registry_is_of_all_services() -> None:
    assert tuple(MODULES) == tuple(MESSAGES) == SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_the_registry_names_every_module_that_declares_endpoints(service: str) -> None:
    assert {module.__name__ for module in MODULES[service]} == declaring(service, "routes", Routes)


@pytest.mark.parametrize("service", SERVICES)
def test_the_registry_names_every_module_that_declares_requests(service: str) -> None:
    assert {module.__name__ for module in MESSAGES[service].MODULES} == declaring(service, "requests", Requests)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_names_the_requests_that_it_answers(service: str) -> None:
    told = docstring(service)
    kinds = set(MESSAGES[service].ANSWERS.handlers)

    assert names_in(told["Answers services"]) == {kind.TYPE for kind in kinds if kind.LANE != ADMIN}
    assert names_in(told["Answers the command line"]) == {kind.TYPE for kind in kinds if kind.LANE == ADMIN}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_names_the_events_and_subjects_that_it_consumes(service: str) -> None:
    events: dict[type[Event], object] = getattr(MESSAGES[service], "EVENTS", {})
    subjects: dict[str, object] = getattr(MESSAGES[service], "FEED", {})

    assert names_in(docstring(service)["Consumes"]) == {*(kind.TYPE for kind in events), *subjects}


def test_dead_letters_are_given_back_to_the_services_that_hear_events() -> None:
    assert {service for service, messages in MESSAGES.items() if hasattr(messages, "EVENTS")} == HEAR_EVENTS
