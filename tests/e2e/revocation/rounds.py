"""Rounds: a principal with its credentials, from its sign-in to its end, and the ways to end it."""

import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from tests.e2e.revocation.projects import Client, Headers, Person, Place

ALL = ("session", "cookie", "jwt")
OF_USER = (*ALL, "user-jwt")
KINDS = (*OF_USER, "key", "guest")
"""The kinds of credential."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What is taken in a round, where it is made for the round: its id, and the path of the row that it shows."""

    id: str = ""
    member: str = ""
    """Of a team: the membership's id."""
    secret: str = ""
    """Of a key."""
    row: str = ""


@dataclass(frozen=True)
class Round:
    """One principal: a session of a person, a JWT of the session, and what was granted."""

    person: Person
    grant: Grant
    session: str
    secret: str
    jwt: str

    @classmethod
    async def begin(cls, person: Person, grant: Grant | None = None) -> "Round":
        """Sign the person in."""
        good = person.project.good
        made = await good("auth", "POST", f"/users/{person.id}/sessions", 201)
        body = {"userId": person.id, "sessionId": made["$id"]}
        jwt = (await good("token", "POST", f"/users/{person.id}/jwts", 201, body))["jwt"]
        return cls(person, grant or Grant(), made["$id"], made["secret"], jwt)

    def headers(self, kind: str) -> Headers:
        """What this principal sends, with a credential of that kind."""
        project = self.person.project
        match kind:
            case "session":
                return project.headers | {"X-Appwrite-Session": self.secret}
            case "cookie":
                return project.headers | {"Cookie": f"a_session_{project.id}={self.secret}"}
            case "jwt":
                return project.headers | {"X-Appwrite-JWT": self.jwt}
            case "user-jwt":
                return project.headers | {"X-Appwrite-JWT": self.person.jwt}
            case "key":
                return project.headers | {"X-Appwrite-Key": self.grant.secret or project.key}
            case _:
                return project.headers


@dataclass(frozen=True)
class Probe:
    """A request of one member whose answer shows the principal, or does not."""

    member: Place
    method: str
    path: str
    headers: Headers
    shows: Callable[[int, Any], bool]
    body: object = None


@dataclass(frozen=True)
class Way:
    """A way to take something away."""

    name: str
    take: Callable[[Round], Awaitable[int]]
    """Takes it, and returns the status: it is repeated until that is a success."""
    kinds: tuple[str, ...]
    """The kinds of credential that may be tried with it."""
    probes: Callable[[Round, str], list[Probe]]
    """What shows it, by a credential of a kind."""
    give: Callable[[Person], Awaitable[Grant]] | None = None
    """Gives it, first; answers that come after it was given again say nothing."""
    again: Callable[[Round], Awaitable[None]] | None = None
    """Makes another of the same id after it was taken, while readers read on."""
    meanwhile: Callable[[Round], AbstractAsyncContextManager[None]] = lambda _: contextlib.nullcontext()
    """What goes on while it is taken and made again."""
    somebody: Callable[[Client], Awaitable[Person]] | None = None
    """Makes the person for this round alone, in a project of its own, where it would end more than a person."""
    ends_person: bool = False
