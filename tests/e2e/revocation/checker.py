"""The checker: does any answer show a principal that was dead when the request for it was sent?

A round makes a principal, sees that it is shown, takes something from it (a session, its JWT, a role, a key), and
reads on all the while. When the call that takes it has returned success, that moment is noted: from then on an answer
that shows the principal, to a request that was sent later, is a violation. A guest's answer, a refusal and 503 are
none. A call that was not confirmed is repeated, as its answer says, and its repetition's 404 or 401 is a success too.

    async with checking(cluster) as check:
        await check.rounds(20)
        cluster.members["data-1"].stop()
        await check.rounds(5)
        cluster.members["data-1"].go_on()
    check.report.assert_kept()

Rounds run in the background until the end of the block; `rounds(n)` waits until n more are complete. Requests that a
stopped process has not answered are left open, and looked at when they are.
"""

import asyncio
import contextlib
import itertools
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp

PROJECT = "library"
PATIENCE_S = 60.0
LONGEST_S = 3600
LINGER_S = 1.5
SESSIONS = 10
"""A user has so many at most."""

AFTER = 2
"""So many requests of each reader are sent after the success."""

DATABASE, TABLE = "promise", "notes"

NO_ANSWERS = frozenset({0, 408, 502, 503, 504})
"""Nobody answered, or not in time, or said to ask again."""

Headers = dict[str, str]
Shows = Callable[[int, Any], bool]


@dataclass
class Report:
    """What has been seen."""

    rounds: int = 0
    requests: int = 0
    shown: int = 0
    judged: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    unavailable: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    longest_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    def assert_kept(self) -> None:
        """Nothing dead was shown; and what was alive had been, so that this says something."""
        assert not self.violations, self.violations[:5]
        assert not self.faults, self.faults[:5]
        assert self.shown >= self.rounds > 0
        assert self.judged >= self.rounds

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds, {self.requests} requests, {self.judged} judged, {len(self.violations)} violations,"
            f" slowest revocation {self.longest_s:.2f} s; {dict(self.ways)}; {dict(sorted(self.statuses.items()))};"
            f" {dict(self.unavailable)}"
        )


class Place(Protocol):
    """Where a service answers."""

    @property
    def name(self) -> str: ...

    @property
    def url(self) -> str: ...


class Where(Protocol):
    """What is checked: where each service answers, and a key of all scopes."""

    key: str
    http: aiohttp.ClientSession

    def running(self, service: str) -> Sequence[Place]: ...

    async def make_key(self, *scopes: str) -> tuple[str, str]: ...


@dataclass(frozen=True)
class Probe:
    """A request of one member that shows the principal, or not."""

    member: Place
    method: str
    path: str
    headers: Headers
    shows: Shows
    body: object = None


@dataclass
class Person:
    """A user with a private row in the table, and a second one for whoever has the label `reader`."""

    id: str
    row: str
    labelled: str
    jwt: str
    """Made by a key while the user had no session: only the user binds it."""


@dataclass(frozen=True)
class Way:
    """Takes something away: `take` is repeated until it has succeeded; `credentials` are what may be tried with it."""

    name: str
    take: Callable[["Round"], Awaitable[int]]
    kinds: tuple[str, ...]
    probes: Callable[["Round", str], list[Probe]]
    give: Callable[["Round"], Awaitable[None]] | None = None
    """Gives what is taken, first; answers that come after it was given again say nothing."""
    ends_person: bool = False


class Round:
    """One principal, from its sign-in to its end."""

    def __init__(self, check: "Check", person: Person) -> None:
        self.check = check
        self.person = person
        self.session = ""
        self.secret = ""
        self.jwt = ""
        self.key = ""
        self.key_id = ""
        self.row = ""
        """One that only this round's role may read."""
        self.table = ""
        self.team = ""
        self.membership = ""

    def headers(self, kind: str) -> Headers:
        base = {"X-Appwrite-Project": PROJECT}
        match kind:
            case "session":
                return base | {"X-Appwrite-Session": self.secret}
            case "cookie":
                return base | {"Cookie": f"a_session_{PROJECT}={self.secret}"}
            case "jwt":
                return base | {"X-Appwrite-JWT": self.jwt}
            case "user-jwt":
                return base | {"X-Appwrite-JWT": self.person.jwt}
            case _:
                return base | {"X-Appwrite-Key": self.key}

    async def sign_in(self) -> None:
        made = await self.check.good("auth", "POST", f"/users/{self.person.id}/sessions", 201)
        self.session, self.secret = made["$id"], made["secret"]
        body = {"userId": self.person.id, "sessionId": self.session}
        self.jwt = (await self.check.good("token", "POST", f"/users/{self.person.id}/jwts", 201, body))["jwt"]


class Check:
    """Runs rounds on a cluster."""

    def __init__(self, cluster: Where, *, kinds: tuple[str, ...], seed: int) -> None:
        self.cluster = cluster
        self.kinds = frozenset(kinds)
        self.ways = [way for way in WAYS if self.kinds.intersection(way.kinds)]
        self.report = Report()
        self.random = random.Random(seed)
        self._more = asyncio.Condition()
        self._open: set[asyncio.Task[None]] = set()
        self.is_over = False

    async def rounds(self, count: int) -> None:
        """Wait until so many more rounds are complete."""
        wanted = self.report.rounds + count
        async with asyncio.timeout(PATIENCE_S + count), self._more:
            await self._more.wait_for(lambda: self.report.rounds >= wanted or bool(self.report.faults))
        assert not self.report.faults, self.report.faults

    # requests

    async def send(
        self, member: Place, method: str, path: str, headers: Headers, body: object = None
    ) -> tuple[int, Any]:
        """Send a request; status 0 where nobody answers."""
        self.report.requests += 1
        url = f"{member.url}/v1{path}"
        try:
            async with self.cluster.http.request(method, url, headers=headers, json=body) as answer:
                found = await answer.json() if answer.content_type == "application/json" else None
                self.report.statuses[answer.status] += 1
                if answer.status == 503 and found is not None:
                    self.report.unavailable[f"{member.name} {found['type']}: {found['message']}"] += 1
                return answer.status, found
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.report.statuses[0] += 1
            return 0, None

    async def ask(self, service: str, method: str, path: str, headers: Headers, body: object = None) -> tuple[int, Any]:
        """Send a request to any process of a service; status 0 where there is none."""
        members = self.cluster.running(service)
        if not members:
            return 0, None
        return await self.send(self.random.choice(members), method, path, headers, body)

    async def by_key(self, service: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
        headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-Key": self.cluster.key}
        return await self.ask(service, method, path, headers, body)

    async def good(
        self, service: str, method: str, path: str, status: int, body: object = None, *, or_else: int = 0
    ) -> Any:
        """Ask by the key of all scopes until the answer is as wanted; `or_else` is as good."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found, answer = await self.by_key(service, method, path, body)
            if found in {status, or_else} - {0}:
                return answer
            assert time.monotonic() < deadline, (method, path, found, answer)
            assert found in NO_ANSWERS, (method, path, found, answer)
            await asyncio.sleep(0.05)

    def is_there(self, member: Place) -> bool:
        """Whether a process is one that runs."""
        return any(member in self.cluster.running(service) for service in ("auth", "token", "data"))

    # people

    async def prepare(self) -> None:
        """Make the table, unless it is there."""
        status, _ = await self.by_key("data", "GET", f"/tablesdb/{DATABASE}/tables/{TABLE}")
        if status == 200:
            return
        await self.good("data", "POST", "/tablesdb", 201, {"databaseId": DATABASE, "name": "Promise"})
        table = {"tableId": TABLE, "name": "Notes", "rowSecurity": True, "columns": [_TEXT]}
        await self.good("data", "POST", f"/tablesdb/{DATABASE}/tables", 201, table)

    async def person(self) -> Person:
        address = f"{secrets.token_hex(8)}@example.org"
        user = (await self.good("auth", "POST", "/users", 201, {"userId": "unique()", "email": address}))["$id"]
        rows = [
            await self.row([f'read("user:{user}")', f'update("user:{user}")']),
            await self.row([f'read("label:reader{user}")', f'update("label:reader{user}")']),
        ]
        jwt = (await self.good("token", "POST", f"/users/{user}/jwts", 201, {"duration": LONGEST_S}))["jwt"]
        return Person(user, *rows, jwt=jwt)

    async def row(self, permissions: list[str]) -> str:
        body = {"rowId": "unique()", "data": {"text": "private"}, "permissions": permissions}
        return str((await self.good("data", "POST", f"{ROWS}", 201, body))["$id"])

    # rounds

    async def work(self) -> None:
        """Run rounds until the block ends."""
        person = await self.person()
        turn = itertools.cycle(self.random.sample(self.ways, len(self.ways)))
        while not self.is_over:
            way = next(turn)
            one = Round(self, person)
            await self._round(way, one)
            if way.ends_person:
                person = await self.person()
            self.report.ways[way.name] += 1
            self.report.rounds += 1
            async with self._more:
                self._more.notify_all()

    async def _round(self, way: Way, one: Round) -> None:
        if way.give is not None:
            await way.give(one)
        await one.sign_in()
        kind = self.random.choice(sorted(self.kinds.intersection(way.kinds)))
        probes = way.probes(one, kind)
        chosen = self.random.sample(probes, min(3, len(probes)))
        reading = _Reading(self)
        chosen = [probe for probe in chosen if await reading.until_shown(probe)]
        readers = [asyncio.create_task(reading.read(probe)) for probe in chosen]
        try:
            await self._take(way, one)
        except BaseException:
            for task in readers:
                task.cancel()
            raise
        reading.died_at = time.monotonic()
        late = set() if not readers else (await asyncio.wait(readers, timeout=LINGER_S))[1]
        self._open |= late
        for task in readers:
            if task not in late:
                task.result()
        reading.is_over = way.give is not None

    async def _take(self, way: Way, one: Round) -> None:
        started = time.monotonic()
        first = True
        while True:
            status = await way.take(one)
            if 200 <= status < 300 or (not first and status in {401, 404}):
                break
            first = False
            assert status in NO_ANSWERS, f"{way.name} was answered {status}"
            assert time.monotonic() - started < PATIENCE_S, f"{way.name} was never confirmed"
            await asyncio.sleep(0.05)
        self.report.longest_s = max(self.report.longest_s, time.monotonic() - started)

    @property
    def are_late(self) -> bool:
        """Whether a round has ended without some of the answers that it asked for."""
        return bool(self._open)

    async def late_answers(self) -> None:
        """Wait for the answers that a round did not wait for."""
        if self._open:
            done, never = await asyncio.wait(self._open, timeout=PATIENCE_S)
            self._open -= done
            assert not never, f"{len(never)} requests were never answered"
            for task in done:
                task.result()

    def fail(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.report.faults.append(repr(error))


class _Reading:
    """Reads in one round."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self.died_at = float("inf")
        self.is_over = False

    async def until_shown(self, probe: Probe) -> bool:
        """Ask until the principal is shown; False where the process is there no more."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            status, body = await self._check.send(probe.member, probe.method, probe.path, probe.headers, probe.body)
            if probe.shows(status, body):
                self._check.report.shown += 1
                return True
            if status == 0 and not self._check.is_there(probe.member):
                return False
            assert time.monotonic() < deadline, f"{probe.method} {probe.path} was never shown: {status} {body}"
            await asyncio.sleep(0.05)

    async def read(self, probe: Probe) -> None:
        check, after = self._check, 0
        while after < AFTER:
            sent_at = time.monotonic()
            status, body = await check.send(probe.member, probe.method, probe.path, probe.headers, probe.body)
            if self.is_over:
                return
            if sent_at > self.died_at:
                after += 1
                check.report.judged += 1
                if probe.shows(status, body):
                    late_ms = (sent_at - self.died_at) * 1000
                    check.report.violations.append(
                        f"{probe.member.name}: {probe.method} {probe.path} showed it {late_ms:.1f} ms after"
                    )
            elif status in {0, 503}:
                await asyncio.sleep(0.02)


_TEXT = {"key": "text", "type": "varchar", "size": 100}
TABLES = f"/tablesdb/{DATABASE}/tables"
ROWS = f"{TABLES}/{TABLE}/rows"


def is_shown(status: int, _: Any) -> bool:
    return 200 <= status < 300


def of_user(one: Round, kind: str) -> list[Probe]:
    """What shows a user: the account, the private row in every way, and introspection."""
    headers, found = one.headers(kind), on_rows(one, kind, one.person.row)
    found += [Probe(member, "GET", "/account", headers, is_shown) for member in one.check.cluster.running("auth")]
    if token := headers.get("X-Appwrite-JWT"):
        found += introspections(one, token)
    return found


def of_label(one: Round, kind: str) -> list[Probe]:
    """What shows a role: the row of the label, in every way."""
    return on_rows(one, kind, one.person.labelled)


def on_rows(one: Round, kind: str, row: str, rows: str = "") -> list[Probe]:
    rows = rows or ROWS
    headers, found = one.headers(kind), []
    for member in one.check.cluster.running("data"):

        def lists(status: int, body: Any) -> bool:
            return status == 200 and any(listed["$id"] == row for listed in body["rows"])

        found += [
            Probe(member, "GET", f"{rows}/{row}", headers, is_shown),
            Probe(member, "PATCH", f"{rows}/{row}", headers, is_shown, {"data": {"text": "changed"}}),
            Probe(member, "GET", rows, headers, lists),
        ]
    return found


def introspections(one: Round, token: str) -> list[Probe]:
    headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-Key": one.check.cluster.key}

    def active(status: int, body: Any) -> bool:
        return status == 200 and bool(body["active"])

    body = {"token": token}
    return [
        Probe(member, "POST", "/jwts/introspect", headers, active, body)
        for member in one.check.cluster.running("token")
    ]


async def delete_own(one: Round) -> int:
    return (await one.check.ask("auth", "DELETE", "/account/sessions/current", one.headers("session")))[0]


async def delete_all_own(one: Round) -> int:
    return (await one.check.ask("auth", "DELETE", "/account/sessions", one.headers("session")))[0]


async def delete_by_key(one: Round) -> int:
    return (await one.check.by_key("auth", "DELETE", f"/users/{one.person.id}/sessions/{one.session}"))[0]


async def delete_all_by_key(one: Round) -> int:
    return (await one.check.by_key("auth", "DELETE", f"/users/{one.person.id}/sessions"))[0]


async def change_password(one: Round) -> int:
    """By a key, which ends all sessions."""
    body = {"password": secrets.token_hex(8)}
    return (await one.check.by_key("auth", "PATCH", f"/users/{one.person.id}/password", body))[0]


async def sign_in_too_often(one: Round) -> int:
    """Newer sessions by login tokens, until the oldest has to go; a delete of it is answered when that is in force."""
    guest, made, deadline = {"X-Appwrite-Project": PROJECT}, 0, time.monotonic() + PATIENCE_S
    while made < SESSIONS:
        token = await one.check.good("auth", "POST", f"/users/{one.person.id}/tokens", 201, {})
        body = {"userId": one.person.id, "secret": token["secret"]}
        status, answer = await one.check.ask("auth", "POST", "/account/sessions/token", guest, body)
        # 401: used up by a call whose answer was lost, or made where another time is than where it is used
        assert status in {201, 401} | NO_ANSWERS, (status, answer)
        assert time.monotonic() < deadline, (status, answer)
        made += status == 201
    status = await delete_by_key(one)
    assert status != 204, "the oldest session is still there"
    return 200 if status == 404 else status


async def block(one: Round) -> int:
    return (await one.check.by_key("auth", "PATCH", f"/users/{one.person.id}/status", {"status": False}))[0]


async def delete_user(one: Round) -> int:
    return (await one.check.by_key("auth", "DELETE", f"/users/{one.person.id}"))[0]


async def make_user_again(one: Round) -> int:
    """Delete the user, and let another have the id at once: nothing of the former one may serve the next."""
    deleted = await delete_user(one)
    if deleted == 204:
        await one.check.good("auth", "POST", "/users", 201, {"userId": one.person.id}, or_else=409)
    return deleted


async def revoke_jwt(one: Round) -> int:
    return (await one.check.by_key("token", "POST", "/jwts/revoke", {"token": one.jwt}))[0]


async def unlabel(one: Round) -> int:
    return (await one.check.by_key("auth", "PUT", f"/users/{one.person.id}/labels", {"labels": []}))[0]


async def label(one: Round) -> None:
    body = {"labels": [f"reader{one.person.id}"]}
    await one.check.good("auth", "PUT", f"/users/{one.person.id}/labels", 200, body)


async def join_team(one: Round) -> None:
    """A team of one, a membership with a role, and a row for that role."""
    good = one.check.good
    one.team = (await good("auth", "POST", "/teams", 201, {"teamId": "unique()", "name": "Readers"}))["$id"]
    body = {"userId": one.person.id, "roles": ["reader"]}
    path = f"/teams/{one.team}/memberships"
    await good("auth", "POST", path, 201, body, or_else=409)  # 409: made by the call before, that was not confirmed
    one.membership = (await good("auth", "GET", path, 200))["memberships"][0]["$id"]
    one.row = await one.check.row([f'read("team:{one.team}/reader")', f'update("team:{one.team}/reader")'])


async def take_membership(one: Round) -> int:
    return (await one.check.by_key("auth", "DELETE", f"/teams/{one.team}/memberships/{one.membership}"))[0]


async def leave_team(one: Round) -> int:
    path = f"/teams/{one.team}/memberships/{one.membership}"
    return (await one.check.ask("auth", "DELETE", path, one.headers("session")))[0]


async def take_team_role(one: Round) -> int:
    path = f"/teams/{one.team}/memberships/{one.membership}"
    return (await one.check.by_key("auth", "PATCH", path, {"roles": ["guest"]}))[0]


async def delete_team(one: Round) -> int:
    return (await one.check.by_key("auth", "DELETE", f"/teams/{one.team}"))[0]


def of_role(one: Round, kind: str) -> list[Probe]:
    """What shows a role: the row of this round, in every way."""
    return on_rows(one, kind, one.row)


def of_table(one: Round, kind: str) -> list[Probe]:
    """What shows a role of a table: the row in it, in every way."""
    return on_rows(one, kind, one.row, f"{TABLES}/{one.table}/rows")


async def verify(one: Round) -> None:
    body = {"emailVerification": True}
    await one.check.good("auth", "PATCH", f"/users/{one.person.id}/verification", 200, body)
    one.row = await one.check.row([f'{action}("user:{one.person.id}/verified")' for action in ("read", "update")])


async def unverify(one: Round) -> int:
    path = f"/users/{one.person.id}/verification"
    return (await one.check.by_key("auth", "PATCH", path, {"emailVerification": False}))[0]


async def change_address(one: Round) -> int:
    """A new address is not a verified one."""
    body = {"email": f"{secrets.token_hex(8)}@example.org"}
    return (await one.check.by_key("auth", "PATCH", f"/users/{one.person.id}/email", body))[0]


async def own_row(one: Round) -> None:
    one.row = await one.check.row([f'{action}("user:{one.person.id}")' for action in ("read", "update")])


async def take_row(one: Round) -> int:
    return (await one.check.by_key("data", "PATCH", f"{ROWS}/{one.row}", {"permissions": []}))[0]


async def own_table(one: Round) -> None:
    """A table that the person may read and change, with a row that nobody owns."""
    one.table = secrets.token_hex(8)
    owner = f"user:{one.person.id}"
    permissions = [f'{action}("{owner}")' for action in ("read", "update")]
    table = {"tableId": one.table, "name": "Own", "permissions": permissions, "columns": [_TEXT]}
    await one.check.good("data", "POST", TABLES, 201, table, or_else=409)
    row = {"rowId": "unique()", "data": {"text": "private"}}
    one.row = (await one.check.good("data", "POST", f"{TABLES}/{one.table}/rows", 201, row))["$id"]


async def take_table(one: Round) -> int:
    body = {"name": "Own", "permissions": []}
    return (await one.check.by_key("data", "PUT", f"{TABLES}/{one.table}", body))[0]


async def block_oneself(one: Round) -> int:
    status, _ = await one.check.ask("auth", "PATCH", "/account/status", one.headers("session"))
    # 403: blocked by the call before, whose answer was lost or said that it was not confirmed; so confirm it by a key
    return await block(one) if status == 403 else status


async def make_key(one: Round) -> None:
    one.key_id, one.key = await one.check.cluster.make_key("rows.read", "rows.write")


async def delete_key(one: Round) -> int:
    return (await one.check.by_key("auth", "DELETE", f"/project/keys/{one.key_id}"))[0]


async def take_scopes(one: Round) -> int:
    body = {"name": "of a round", "scopes": ["users.read"]}
    return (await one.check.by_key("auth", "PUT", f"/project/keys/{one.key_id}", body))[0]


def of_key(one: Round, kind: str) -> list[Probe]:
    """What shows a key: any row."""
    return [probe for probe in on_rows(one, kind, one.person.row) if probe.path != ROWS]


ALL = ("session", "cookie", "jwt")
OF_USER = (*ALL, "user-jwt")
WAYS = [
    Way("session deleted by itself", delete_own, ALL, of_user),
    Way("all sessions deleted", delete_all_own, OF_USER, of_user, ends_person=True),
    Way("session deleted by a key", delete_by_key, ALL, of_user),
    Way("all sessions deleted by a key", delete_all_by_key, OF_USER, of_user, ends_person=True),
    Way("password changed by a key", change_password, OF_USER, of_user, ends_person=True),
    Way("signed in too often", sign_in_too_often, ALL, of_user, ends_person=True),
    Way("user blocked", block, OF_USER, of_user, ends_person=True),
    Way("user deleted", delete_user, OF_USER, of_user, ends_person=True),
    Way("user deleted and made again", make_user_again, OF_USER, of_user, ends_person=True),
    Way("JWT revoked", revoke_jwt, ("jwt",), of_user),
    Way("user blocked by itself", block_oneself, OF_USER, of_user, ends_person=True),
    Way("label taken", unlabel, OF_USER, of_label, label),
    Way("verification taken", unverify, OF_USER, of_role, verify),
    Way("address changed", change_address, OF_USER, of_role, verify, ends_person=True),
    Way("permission of a row taken", take_row, OF_USER, of_role, own_row),
    Way("permission of a table taken", take_table, OF_USER, of_table, own_table),
    Way("team left", leave_team, OF_USER, of_role, join_team),
    Way("membership taken", take_membership, OF_USER, of_role, join_team),
    Way("role in a team taken", take_team_role, OF_USER, of_role, join_team),
    Way("team deleted", delete_team, OF_USER, of_role, join_team),
    Way("key deleted", delete_key, ("key",), of_key, make_key),
    Way("scopes taken from a key", take_scopes, ("key",), of_key, make_key),
]


@contextlib.asynccontextmanager
async def checking(
    cluster: Where, *, workers: int = 6, kinds: tuple[str, ...] = (*OF_USER, "key"), seed: int = 0
) -> AsyncIterator[Check]:
    """Run rounds by so many workers at a time until the block ends; then finish the rounds that have begun."""
    check = Check(cluster, kinds=kinds, seed=seed or random.randrange(2**32))
    await check.prepare()
    tasks = [asyncio.create_task(check.work()) for _ in range(workers)]
    for task in tasks:
        task.add_done_callback(check.fail)
    try:
        yield check
        check.is_over = True
        await asyncio.wait(tasks, timeout=PATIENCE_S)
        await check.late_answers()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
