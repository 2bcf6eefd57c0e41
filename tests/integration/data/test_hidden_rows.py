"""No answer changes when something changes that its caller may not read: two worlds that differ in that alone.

The worlds are made alike, at random. In one of them, rows that the caller may not read are changed, made and deleted,
and so are tables that it may not use. Then the caller asks both the same, and hears the same. Left out, since
docs/compatibility.md names them: ids that are taken and values of unique indexes (`is_an_exception`), `$sequence`,
and the dates of rows that the caller may change (`masked`).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.principal import GUEST_ROLES
from tests.accounts import GUEST, Headers
from tests.integration.data.api import OLD_WORDS, Api, Json, query
from tests.wire import pairs

ROLES = ["any", "guests", "users", "user:ada", "user:bob", "team:crew", "team:crew/owner", "member:crew-ada"]
CLIENTS = ["guest", "ada", "bob"]
ROWS = [f"row-{place}" for place in range(5)]
HIDDEN, FRESH, MISSING = "hidden", "fresh", "missing"
IDS = [*ROWS, HIDDEN, FRESH, MISSING]
COLUMNS: list[Json] = [
    {"key": "a", "type": "integer", "min": 0, "max": 9},
    {"key": "b", "type": "integer", "min": 0, "max": 9},
    {"key": "t", "type": "varchar", "size": 8},
]
LATER: Json = {"key": "later", "required": False, "size": 8}
DATE = "2020-01-01T00:00:0{}.000+00:00"
UNSEEN = {"date", "content-length", "x-ratelimit-reset", "x-request-id", "server"}
NUMBERS = count()

Grants = list[tuple[str, str]]


@dataclass(frozen=True)
class Row:
    """A row as it is made in both worlds, and the values that it has in one of them where it is hidden."""

    values: Json
    others: Json
    grants: Grants


@dataclass(frozen=True)
class Scene:
    """A table, its rows, who calls, how the worlds differ, and what is asked."""

    grants: Grants
    security: bool
    rows: list[Row]
    caller: str
    differences: list[str]
    asked: list[Json]


@dataclass(frozen=True)
class World:
    """A table in a database, at either API."""

    api: Api = field(repr=False)
    database: str
    table: str = "table"

    async def send(self, method: str, path: str, caller: Headers, body: Json, *, is_older: bool = False) -> Any:
        """Return status, headers and text of an answer, but for what is left out."""
        headers = {"X-Appwrite-Project": "library", **caller}
        words: Mapping[str, str] = OLD_WORDS if is_older else {}
        path = f"{self.database}/tables/{self.table}/{path}"
        path = "/".join(words.get(part, part) for part in path.split("/"))
        url = f"{self.api.urls[0]}/v1/{'databases' if is_older else 'tablesdb'}/{path}"
        body = {words.get(name, name): value for name, value in body.items()}
        if method == "GET":
            url += f"?{urlencode(list(pairs(body)))}"
        sent = None if method == "GET" else json.dumps(body)
        headers |= {} if sent is None else {"Content-Type": "application/json"}
        await self.api.guards[0].reader.until_leased(20)
        async with self.api.http.request(method, url, headers=headers, data=sent) as answer:
            seen = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in UNSEEN}
            return answer.status, masked(await answer.text()).replace(self.database, "DATABASE"), seen

    async def by_key(self, method: str, path: str, body: Json) -> None:
        answer = await self.api.call(method, f"/{self.database}{path}", body=body)
        assert answer.status < 300, answer


def masked(text: str) -> str:
    """Leave out the exceptions that every answer may have: dates, and the places of rows among all."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", "DATE", text)
    return re.sub(r'"\$sequence":"\d+"', '"$sequence":"N"', text)


def encode_prefs(grants: Grants) -> list[str]:
    return [f'{action}("{role}")' for action, role in grants]


@dataclass
class Model:
    """What the caller of a scene may do with what was made."""

    scene: Scene
    roles: tuple[str, ...]

    def may(self, action: str, row: Row | None = None) -> bool:
        if self.scene.caller == "key":
            return True
        own = row.grants if row is not None and self.scene.security else []
        return any(granted == action and role in self.roles for granted, role in [*self.scene.grants, *own])

    @property
    def is_closed(self) -> bool:
        """Whether the table is none that the caller may use."""
        return not self.scene.security and not any(self.may(one) for one in ("read", "create", "update", "delete"))

    @property
    def is_blind(self) -> bool:
        """Whether the caller learns nothing of the table's columns by using it."""
        return not self.may("create") and not any(
            self.may(action, row) for row in self.scene.rows for action in ("read", "update", "delete")
        )

    def unread(self) -> list[str]:
        """Return the rows that the caller may not read: their values may be anything."""
        return [id_ for id_, row in zip(ROWS, self.scene.rows, strict=True) if not self.may("read", row)]

    def unseen(self) -> list[str]:
        """Return the rows that the caller may do nothing with: they may be there or not."""
        return [
            id_
            for id_, row in zip(ROWS, self.scene.rows, strict=True)
            if not any(self.may(action, row) for action in ("read", "update", "delete"))
        ]

    def hides_new_rows(self) -> bool:
        """Say whether a row that grants nothing to the caller is out of its sight."""
        return not any(self.may(action) for action in ("read", "update", "delete"))

    def is_an_exception(self, one: Json) -> bool:
        """Say whether docs/compatibility.md has it that an answer tells of what is hidden.

        A caller who may create learns that an id is taken; one who may change a row may let itself read it.
        """
        makes = one["kind"] in {"create", "upsert"} and self.may("create")
        if makes and one["id"] in {HIDDEN, *self.unseen()}:
            return True
        return one["kind"] in {"update", "upsert"} and "permissions" in one["body"] and one["id"] in self.unread()


async def differ(world: World, model: Model) -> None:
    """Change, in one of the worlds, what the caller may not read."""
    for difference, change in DIFFERENCES.items():
        if difference in model.scene.differences:
            await change(world, model)


async def values(world: World, model: Model) -> None:
    for id_ in model.unread():
        data = model.scene.rows[ROWS.index(id_)].others | {"$updatedAt": DATE.format(1)}
        await world.by_key("PATCH", f"/tables/table/rows/{id_}", {"data": data})


async def readers(world: World, model: Model) -> None:
    for id_ in model.unread():
        permissions = [*encode_prefs(model.scene.rows[ROWS.index(id_)].grants), 'read("user:eve")']
        await world.by_key("PATCH", f"/tables/table/rows/{id_}", {"permissions": permissions})


async def fewer(world: World, model: Model) -> None:
    for id_ in model.unseen()[:1]:
        await world.by_key("DELETE", f"/tables/table/rows/{id_}", {})


async def more(world: World, model: Model) -> None:
    if model.hides_new_rows():
        permissions = ['read("user:eve")', 'update("user:eve")']
        await world.by_key(
            "POST", "/tables/table/rows", {"rowId": HIDDEN, "data": {"a": 3}, "permissions": permissions}
        )


async def columns(world: World, model: Model) -> None:
    if model.is_closed or (model.is_blind and model.hides_new_rows()):
        await world.by_key("POST", "/tables/table/columns/varchar", LATER)
        await world.by_key("DELETE", "/tables/table/columns/t", {})


async def switch(world: World, model: Model) -> None:
    if model.is_closed:
        await world.by_key("PUT", "/tables/table", {"enabled": False})


async def no_table(world: World, model: Model) -> None:
    if model.is_closed:
        await world.by_key("DELETE", "/tables/table", {})


async def no_database(world: World, model: Model) -> None:
    if model.is_closed:
        await world.by_key("DELETE", "", {})


DIFFERENCES = {
    "other values": values,
    "other readers": readers,
    "a row less": fewer,
    "a row more": more,
    "other columns": columns,
    "a switch": switch,
    "no table": no_table,
    "no database": no_database,
}


VALUE = st.integers(0, 2)
DATA = st.fixed_dictionaries({}, optional={"a": VALUE, "b": VALUE, "t": st.sampled_from(["x", "y"])})
SENT = DATA | DATA | st.sampled_from([{"a": "x"}, {"nothing": 1}, {"later": "x"}, {"a": 10}])
KEY = st.sampled_from(["a", "b", "a", "t", "later", "nothing"])
FILTER = st.one_of(
    st.builds(query, st.sampled_from(["equal", "greaterThan", "notEqual"]), KEY, VALUE),
    st.builds(query, st.sampled_from(["isNull", "isNotNull"]), st.sampled_from(["a", "t"])),
    st.builds(query, st.just("equal"), st.just("$id"), st.sampled_from(IDS)),
    st.builds(query, st.sampled_from(["equal", "equal", "search"]), st.just("t"), st.sampled_from(["x", "y"])),
)
ORDER = st.builds(
    query,
    st.sampled_from(["orderAsc", "orderDesc"]),
    KEY | st.sampled_from(["t", "$id", "$createdAt", "$updatedAt", ""]),
)
CURSOR = st.builds(query, st.sampled_from(["cursorAfter", "cursorBefore"]), st.none(), st.sampled_from(IDS))
SELECT = st.builds(query, st.just("select"), st.none(), KEY)
PAGE = st.sampled_from([query("limit", None, 0), query("limit", None, 2_000)]) | st.builds(
    query, st.sampled_from(["limit", "offset"]), st.none(), st.integers(1, 3)
)
QUERIES = st.lists(st.one_of(FILTER, ORDER, CURSOR, SELECT, PAGE), max_size=3)
PERMISSIONS = st.sampled_from([['read("any")'], [], ['read("users")', 'update("users")'], ["nonsense"]])
CHANGE = st.fixed_dictionaries({"data": SENT}, optional={"permissions": PERMISSIONS})
STEP = st.fixed_dictionaries({}, optional={"value": st.sampled_from([1, 5, 9, 0.5]), "max": VALUE, "min": VALUE})
ID = st.sampled_from(IDS)
HEADERS = st.sampled_from(
    [
        {},
        {},
        {"x-appwrite-timestamp": DATE.format(0)},
        {"x-appwrite-timestamp": DATE.format(5)},
        {"X-Daypass-Explain": "1"},
    ]
)


def request(kind: str, method: str, path: str, body: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {
            "kind": st.just(kind),
            "method": st.just(method),
            "path": st.just(path),
            "id": ID,
            "column": st.sampled_from(["a", "b", "t", "nothing", "later"]),
            "body": body,
            "headers": HEADERS,
            "older": st.booleans(),
        }
    )


REQUESTS = st.one_of(
    request("list", "GET", "rows", st.fixed_dictionaries({"queries": QUERIES, "total": st.booleans()})),
    request("list", "GET", "rows", st.fixed_dictionaries({"queries": st.tuples(CURSOR, ORDER).map(list)})),
    request("list", "GET", "rows", st.fixed_dictionaries({"queries": st.lists(ORDER | SELECT | FILTER, max_size=2)})),
    request("get", "GET", "rows/{id}", st.fixed_dictionaries({"queries": st.lists(SELECT, max_size=1)})),
    request("create", "POST", "rows", CHANGE),
    request("update", "PATCH", "rows/{id}", CHANGE),
    request("upsert", "PUT", "rows/{id}", CHANGE),
    request("upsert", "PUT", "rows/{id}", st.fixed_dictionaries({"data": DATA})),
    request("step", "PATCH", "rows/{id}/{column}/increment", STEP),
    request("step", "PATCH", "rows/{id}/{column}/decrement", STEP),
    request("delete", "DELETE", "rows/{id}", st.just({})),
    request("many", "PATCH", "rows", st.fixed_dictionaries({"data": SENT, "queries": QUERIES})),
    request("many", "DELETE", "rows", st.fixed_dictionaries({"queries": QUERIES})),
    request("many", "PUT", "rows", st.just({"rows": [{"$id": ROWS[0], "a": 1}]})),
)
ROLE = st.sampled_from(ROLES)
OF_ROW = st.lists(st.tuples(st.sampled_from(["read", "update", "delete"]), ROLE), max_size=3, unique=True)
ALIKE: list[Grants] = [[], [("read", "any")], [("update", "any")], [("delete", "any")], [("update", "user:eve")]]
OF_TABLE = st.lists(st.tuples(st.sampled_from(["read", "create", "update", "delete"]), ROLE), max_size=2, unique=True)


def scenes(
    grants: st.SearchStrategy[Grants],
    rows: st.SearchStrategy[Grants],
    *,
    security: st.SearchStrategy[bool],
    callers: list[str] = CLIENTS,
) -> st.SearchStrategy[Scene]:
    row = st.builds(Row, values=DATA, others=DATA, grants=rows)
    return st.builds(
        Scene,
        grants=grants,
        security=security,
        rows=st.lists(row, min_size=len(ROWS), max_size=len(ROWS)),
        caller=st.sampled_from(callers),
        differences=st.lists(st.sampled_from(list(DIFFERENCES)), min_size=3, max_size=6, unique=True),
        asked=st.lists(REQUESTS, min_size=12, max_size=20),
    )


NOTHING: st.SearchStrategy[Grants] = st.just([])
CLOSED = scenes(NOTHING | st.just([("read", "user:eve")]), OF_ROW, security=st.just(False))
BLIND = scenes(NOTHING, NOTHING | st.just([("read", "user:eve")]), security=st.just(True))
BY_ROW = scenes(NOTHING | st.just([("create", "any")]), st.sampled_from(ALIKE) | OF_ROW, security=st.just(True))
BY_TABLE = scenes(OF_TABLE, OF_ROW, security=st.booleans(), callers=[*CLIENTS, "key"])
SCENES = st.one_of(CLOSED, BLIND, BY_ROW, BY_ROW, BY_TABLE)


@dataclass
class Stage:
    """A caller, who makes worlds, too."""

    api: Api = field(repr=False)
    callers: dict[str, Headers] = field(repr=False)

    def roles(self, caller: str) -> tuple[str, ...]:
        return self.api.accounts.users[caller].roles if caller in self.api.accounts.users else GUEST_ROLES

    async def world(self, database: str, scene: Scene) -> World:
        made = await self.api.call("POST", "", body={"databaseId": database, "name": "A database"})
        assert made.status == 201, made
        world = World(self.api, database)
        definition = {"name": "A table", "permissions": encode_prefs(scene.grants), "rowSecurity": scene.security}
        await world.by_key("POST", "/tables", {"tableId": "table", "columns": COLUMNS, **definition})
        rows = [
            {
                "$id": id_,
                "$permissions": encode_prefs(row.grants),
                "$createdAt": DATE.format(at),
                "$updatedAt": DATE.format(1),
            }
            | row.values
            for at, (id_, row) in enumerate(zip(ROWS, scene.rows, strict=True))
        ]
        await world.by_key("POST", "/tables/table/rows", {"rows": rows})
        return world


@pytest.fixture(scope="module")
async def stage(api: Api) -> Stage:
    ada = api.accounts.sign_in("ada", memberships=[("crew-ada", "crew", ["owner"])])
    return Stage(api, {"guest": GUEST, "ada": ada, "bob": api.accounts.sign_in("bob"), "key": api.key})


@given(scene=SCENES)
@settings(max_examples=60, deadline=None)
async def test_no_answer_changes_by_what_its_caller_may_not_read(stage: Stage, scene: Scene) -> None:
    number, model = next(NUMBERS), Model(scene, stage.roles(scene.caller))
    one, other = [await stage.world(f"{name}-hidden-{number}", scene) for name in ("a", "b")]
    await differ(other, model)

    for asked in scene.asked:
        if model.is_an_exception(asked):
            continue
        path = asked["path"].format(**asked)
        body = asked["body"] | ({"rowId": asked["id"]} if asked["kind"] == "create" else {})
        caller = stage.callers[scene.caller] | asked["headers"]
        answers = [
            await world.send(asked["method"], path, caller, body, is_older=asked["older"]) for world in (one, other)
        ]
        assert answers[0] == answers[1], asked
