"""Projects and people that rounds take place in, and the calls by which they are made."""

import asyncio
import random
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from shared.messaging.names import SERVICES
from tests.e2e.revocation.report import Report

PROJECT = "library"
"""The project that rounds take place in, unless their way would end something for all of it."""

PATIENCE_S = 60.0
LONGEST_S = 3600
DATABASE, TABLE = "promise", "notes"
TABLES = f"/tablesdb/{DATABASE}/tables"
ROWS = f"{TABLES}/{TABLE}/rows"
TEXT = {"key": "text", "type": "varchar", "size": 100}
PRIVATE = "private"

NO_ANSWERS = frozenset({0, 408, 502, 503, 504})
"""Nobody answered, or not in time, or said to ask again."""


Headers = dict[str, str]


class Place(Protocol):
    """Where a service answers."""

    @property
    def name(self) -> str: ...

    @property
    def url(self) -> str: ...


class Where(Protocol):
    """What is checked: where each service answers, and the project `library` with a key of all scopes."""

    key: str
    http: aiohttp.ClientSession

    def running(self, service: str) -> Sequence[Place]: ...

    async def make_key(self, *scopes: str) -> tuple[str, str]: ...


class Client:
    """Sends requests to the processes of what is checked, and counts the answers."""

    def __init__(self, cluster: Where, report: Report, chance: random.Random) -> None:
        self.cluster = cluster
        self._report = report
        self._random = chance

    async def send(
        self, member: Place, method: str, path: str, headers: Headers, body: object = None
    ) -> tuple[int, Any]:
        """Send a request; status 0 where nobody answers."""
        report, url = self._report, f"{member.url}/v1{path}"
        report.requests += 1
        try:
            async with self.cluster.http.request(method, url, headers=headers, json=body) as answer:
                content = await answer.json() if answer.content_type == "application/json" else None
                report.statuses[answer.status] += 1
                if answer.status == 503 and content is not None:
                    report.unavailable[f"{member.name} {content['type']}: {content['message']}"] += 1
                return answer.status, content
        except (aiohttp.ClientError, OSError, TimeoutError):
            report.statuses[0] += 1
            return 0, None

    async def ask(self, service: str, method: str, path: str, headers: Headers, body: object = None) -> tuple[int, Any]:
        """Send a request to any process of a service; status 0 where there is none."""
        members = self.cluster.running(service)
        if not members:
            return 0, None
        return await self.send(self._random.choice(members), method, path, headers, body)

    def is_there(self, member: Place) -> bool:
        """Whether a process is one that runs."""
        return any(member in self.cluster.running(service) for service in SERVICES)


@dataclass(frozen=True)
class Project:
    """A project, and a key of all its scopes."""

    client: Client
    id: str
    key: str

    @property
    def headers(self) -> Headers:
        """What a guest sends."""
        return {"X-Appwrite-Project": self.id}

    @property
    def key_headers(self) -> Headers:
        """What the key of all scopes sends."""
        return self.headers | {"X-Appwrite-Key": self.key}

    async def by_key(self, service: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Ask by the key of all scopes."""
        return await self.client.ask(service, method, path, self.key_headers, body)

    async def good(
        self, service: str, method: str, path: str, status: int, body: object = None, *, or_else: int = 0
    ) -> Any:
        """Ask by the key of all scopes until the answer is as wanted; `or_else` is as good."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answered, answer = await self.by_key(service, method, path, body)
            if answered in {status, or_else} - {0}:
                return answer
            assert time.monotonic() < deadline, (method, path, answered, answer)
            assert answered in NO_ANSWERS, (method, path, answered, answer)
            await asyncio.sleep(0.05)

    async def prepare(self) -> None:
        """Make the table, unless it is there."""
        status, _ = await self.by_key("data", "GET", f"{TABLES}/{TABLE}")
        if status != 200:
            await self.database(DATABASE)
            await self.table(TABLES, TABLE, [], row_security=True)

    async def database(self, id_: str) -> None:
        """Make a database."""
        await self.good("data", "POST", "/tablesdb", 201, {"databaseId": id_, "name": "Promise"}, or_else=409)

    async def table(self, tables: str, id_: str, permissions: list[str], *, row_security: bool = False) -> None:
        """Make a table of one text under the path of tables."""
        body = {"tableId": id_, "name": "Notes", "permissions": permissions, "rowSecurity": row_security}
        await self.good("data", "POST", tables, 201, body | {"columns": [TEXT]}, or_else=409)

    async def row(self, permissions: list[str], *, rows: str = ROWS, id_: str = "unique()", text: str = PRIVATE) -> str:
        """Make a row; return its path."""
        body = {"rowId": id_, "data": {"text": text}, "permissions": permissions}
        return f"{rows}/{(await self.good('data', 'POST', rows, 201, body))['$id']}"

    async def person(self) -> "Person":
        """Make a user with rows."""
        body = {"userId": "unique()", "email": f"{secrets.token_hex(8)}@example.org"}
        user = (await self.good("auth", "POST", "/users", 201, body))["$id"]
        return Person(
            self,
            user,
            row=await self.row(for_role(f"user:{user}")),
            labelled=await self.row(for_role(f"label:reader{user}")),
            jwt=(await self.good("token", "POST", f"/users/{user}/jwts", 201, {"duration": LONGEST_S}))["jwt"],
        )


@dataclass(frozen=True)
class Person:
    """A user with a private row, and a second one for every user with the label `reader` of that user."""

    project: Project
    id: str
    row: str
    labelled: str
    jwt: str
    """Made by a key while the user had no session: only the user binds it."""


def for_role(role: str) -> list[str]:
    """Return the permissions that let a role read and change a row."""
    return [f'read("{role}")', f'update("{role}")']
