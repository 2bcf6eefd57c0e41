'''Declarations of what a service answers on the bus, beside the noun that each is about, as endpoints are.

    requests = Requests[AuthDeps]()

    @requests.answers(ListKeys)
    async def list_keys(deps: AuthDeps, request: ListKeys) -> KeyRecords:
        """Return all keys of a project."""
        return KeyRecords(keys=…)

A request says itself which service answers it, and in which lane. The registry of a service, `messages.py`, collects
what its modules declare into one `Answers`, which refuses a request that has two handlers, or none.
'''

import typing
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from shared.contracts.declared import requests_to
from shared.contracts.requests import Request
from shared.messaging.bus import Handlers

D = TypeVar("D")
R = TypeVar("R", bound=Request[Any])  # Any: requests with answers of every kind
Handler = Callable[[D, R], Awaitable[msgspec.Struct]]


class Requests(Generic[D]):
    """The requests that one module answers; `D` is what their handlers need."""

    def __init__(self) -> None:
        self.handlers: list[tuple[type[Request[Any]], Handler[D, Any]]] = []  # Any: as above

    def answers(self, kind: type[R]) -> Callable[[Handler[D, R]], Handler[D, R]]:
        """Declare that the decorated function answers requests of this kind.

        Raises `TypeError` where it returns anything but the answer that the request names.
        """

        def declare(handler: Handler[D, R]) -> Handler[D, R]:
            if typing.get_type_hints(handler)["return"] is not kind.ANSWER:
                raise TypeError(f"{kind.TYPE}: a handler must return {kind.ANSWER.__name__}, the answer of the request")
            self.handlers.append((kind, handler))
            return handler

        return declare


class Answers(Generic[D]):
    """All that a service answers.

    Raises `TypeError` where a request to it has two handlers or none, or is a request to another service.
    """

    def __init__(self, service: str, parts: Iterable[Requests[D]]) -> None:
        declared = [pair for part in parts for pair in part.handlers]
        _check(service, [kind for kind, _ in declared])
        self.handlers = dict(declared)

    def lanes(self, deps: D) -> dict[str, Handlers]:
        """Return the handlers of each lane, as the bus serves them."""
        by_lane: dict[str, dict[type[Request[Any]], Callable[[Any], Awaitable[msgspec.Struct]]]] = {}  # Any: as above
        for kind, handler in self.handlers.items():
            by_lane.setdefault(kind.LANE, {})[kind] = partial(handler, deps)
        return dict(by_lane)


def _check(service: str, answered: list[type[Request[Any]]]) -> None:
    expected = requests_to(service)
    times = Counter((kind.TYPE, kind.VERSION) for kind in answered)
    faults = [f"{type_} is answered {count} times" for (type_, _), count in times.items() if count > 1]
    faults += [f"no handler answers {kind.TYPE}" for kind in expected.difference(answered)]
    faults += [f"{kind.TYPE} is a request to {kind.SERVICE}" for kind in set(answered).difference(expected)]
    if faults:
        raise TypeError(f"requests to {service}: {'; '.join(sorted(faults))}")
