"""What a service answers is declared once for each request to it, or the service does not start."""

from typing import Any, ClassVar

import msgspec
import pytest

from services.data import messages
from shared.contracts.declared import requests_to
from shared.contracts.grants import FindTeamGrants, Grantees, ListGrantees, TeamGrants
from shared.contracts.requests import ADMIN, GENERAL, GetKeys, Request, VerificationKeys
from shared.messaging.answers import Answers, Requests

Deps = list[object]


async def find_team_grants(deps: Deps, request: FindTeamGrants) -> TeamGrants:
    deps.append(request)
    return TeamGrants(is_named=True)


async def list_grantees(deps: Deps, request: ListGrantees) -> Grantees:
    return Grantees(grantees=(), is_complete=True)


def unused(kind: type[Request[Any]]) -> Any:
    """A handler that no test calls."""

    async def answer(deps: Deps, request: Any) -> Any:
        raise NotImplementedError

    answer.__annotations__["return"] = kind.ANSWER
    return answer


async def get_keys(deps: Deps, request: GetKeys) -> VerificationKeys:
    raise NotImplementedError


OF_THE_COMMAND_LINE = {kind for kind in requests_to("data") if kind.LANE == ADMIN}
ALL = {kind: unused(kind) for kind in OF_THE_COMMAND_LINE} | {
    FindTeamGrants: find_team_grants,
    ListGrantees: list_grantees,
}


def part(handlers: dict[Any, Any]) -> Requests[Deps]:
    """A module's requests."""
    requests = Requests[Deps]()
    for kind, handler in handlers.items():
        requests.answers(kind)(handler)
    return requests


async def test_handlers_are_served_in_the_lane_of_their_request_with_what_they_need() -> None:
    deps: Deps = []
    request = FindTeamGrants(incarnation=1, team="admins")

    lanes = Answers("data", [part(ALL)]).lanes(deps)

    assert {lane: set(handlers) for lane, handlers in lanes.items()} == {
        GENERAL: {FindTeamGrants, ListGrantees},
        ADMIN: OF_THE_COMMAND_LINE,
    }
    assert await lanes[GENERAL][FindTeamGrants](request) == TeamGrants(is_named=True)
    assert deps == [request]


def test_a_request_that_two_modules_answer_refuses_to_start() -> None:
    with pytest.raises(TypeError, match=r"^requests to data: grants\.list is answered 2 times$"):
        Answers("data", [part(ALL), part({ListGrantees: list_grantees})])


def test_two_requests_of_one_name_refuse_to_start() -> None:
    class ListGrantors(Request[Grantees], frozen=True, kw_only=True):
        TYPE: ClassVar[str] = ListGrantees.TYPE
        SERVICE: ClassVar[str] = "data"
        ANSWER: ClassVar[type[msgspec.Struct]] = Grantees

    with pytest.raises(TypeError, match=r"grants\.list is answered 2 times"):
        Answers("data", [part({**ALL, ListGrantors: list_grantees})])


def test_a_declared_request_that_nobody_answers_refuses_to_start() -> None:
    with pytest.raises(TypeError, match=r"^requests to data: no handler answers grants\.list$"):
        Answers("data", [part({kind: handler for kind, handler in ALL.items() if kind is not ListGrantees})])


def test_a_request_to_another_service_refuses_to_start() -> None:
    with pytest.raises(TypeError, match=r"^requests to data: keys\.get is a request to token$"):
        Answers("data", [part({**ALL, GetKeys: get_keys})])


def test_a_handler_returns_the_answer_that_its_request_names() -> None:
    requests = Requests[Deps]()

    with pytest.raises(TypeError, match=r"^grants\.find_team: a handler must return TeamGrants"):
        requests.answers(FindTeamGrants)(list_grantees)  # type: ignore[arg-type]


def test_a_request_is_found_wherever_the_contracts_declare_it() -> None:
    assert requests_to("data") == set(messages.ANSWERS.handlers) == set(ALL)
