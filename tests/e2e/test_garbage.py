"""Whatever is thrown at an endpoint, the answer is Appwrite's: a status and type of its list, never a 500.

Every declared endpoint is called, by every kind of caller, with values that break something somewhere.
"""

import json
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
import requests
from appwrite.id import ID
from appwrite.services.tables_db import TablesDB
from appwrite.services.users import Users
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.kernel.errors import ErrorType
from shared.web.openapi import error_types
from tests.declarations import ENDPOINTS, PLACEHOLDER, parameter_names
from tests.e2e.instance import Instance
from tests.e2e.sdk import call, server, with_session

TYPES = {type_.value: type_.status for type_ in ErrorType}
DEEP = "[" * 5000 + "]" * 5000
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "\0",
            "a\0b",
            "id\n",
            "unique()",
            "\n",
            "../x",
            "%00",
            "%",
            "a" * 37,
            "a" * 5000,
            "١٢٣",
            "'; DROP TABLE x --",
        ]
    ),
    st.text(max_size=40),
)
SEGMENTS = TEXTS.filter(lambda text: text not in {".", ".."})
"""Of a path: every client resolves the other two itself (RFC 3986, 5.2.4), and asks for another path."""
VALUES = st.recursive(
    st.one_of(
        TEXTS,
        st.none(),
        st.booleans(),
        st.integers(min_value=-(10**30), max_value=10**30),
        st.sampled_from([10**29, -(2**63), 2**63, 0.5, 1e308]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
RAW_BODIES = st.sampled_from(
    [
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"name": "\\ud800"}',
        b'{"name": NaN}',
        b'{"userId": 1' + b"0" * 400 + b"}",
        b'{"name": "a", "name": "b"}',
        f'{{"data": {DEEP}}}'.encode(),
        f'{{"queries": {DEEP}}}'.encode(),
    ]
)


NAMES = st.one_of(st.sampled_from(["name", "age", "$id", "$sequence", "$createdAt", "$permissions", "tags"]), TEXTS)
FILTERS = [
    "equal",
    "notEqual",
    "lessThan",
    "greaterThanEqual",
    "between",
    "isNull",
    "contains",
    "startsWith",
    "and",
    "or",
]
PAGES = ["limit", "offset", "orderAsc", "orderDesc", "cursorAfter", "cursorBefore", "select", "search"]
METHODS = st.sampled_from([*FILTERS, *PAGES])
QUERIES = st.fixed_dictionaries(
    {"method": METHODS}, optional={"attribute": NAMES, "values": st.lists(VALUES, max_size=3)}
).map(json.dumps)
PERMISSIONS = st.one_of(
    st.sampled_from(
        ['read("any")', 'create("any")', 'write("users")', 'read("user")', 'fly("any")', 'read("label:a-b")']
    ),
    TEXTS.map('read("{}")'.format),
)
KINDS = st.sampled_from(["varchar", "string", "integer", "double", "boolean", "datetime", "enum", "ip", "blob"])
COLUMNS = st.fixed_dictionaries(
    {"key": NAMES, "type": KINDS}, optional={"size": VALUES, "default": VALUES, "min": VALUES, "elements": VALUES}
)
LIKELY = {
    "queries": st.lists(QUERIES, max_size=3),
    "data": st.dictionaries(NAMES, VALUES, max_size=3),
    "permissions": st.lists(PERMISSIONS, max_size=3),
    "columns": st.one_of(st.lists(COLUMNS, max_size=2), st.lists(NAMES, max_size=2)),
    "attributes": st.lists(NAMES, max_size=2),
}
"""Values that get further than garbage does."""


class Target:
    """An instance with something in it, credentials of every kind, and a count of what is there."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.http = requests.Session()
        self.http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # each call is by whom it says
        self.user, self.database = ID.unique(), ID.unique()
        tables = TablesDB(server(instance))
        Users(server(instance)).create(self.user, f"{self.user}@x.org", None, "correct horse", "Ada")
        tables.create(self.database, "Garbage")
        columns = [{"key": "name", "type": "varchar", "size": 64}, {"key": "age", "type": "integer"}]
        tables.create_table(self.database, "people", "People", ['create("any")', 'read("any")'], True, True, columns)
        self.row = tables.create_row(self.database, "people", ID.unique(), {"name": "Ada", "age": 36}).id
        session = str(Users(server(instance)).create_session(self.user).secret)
        jwt = call(with_session(instance, session), "post", "/account/jwts")
        self.credentials: dict[str, dict[str, str]] = {
            "guest": {},
            "session": {"X-Appwrite-Session": session},
            "jwt": {"X-Appwrite-JWT": jwt["jwt"]},
            "key": {"X-Appwrite-Key": instance.key},
            "nobody": {"X-Appwrite-Key": "standard_" + "0" * 256},
        }
        self.known = {
            "userId": self.user,
            "databaseId": self.database,
            "tableId": "people",
            "collectionId": "people",
            "rowId": self.row,
            "documentId": self.row,
            "key": "name",
            "projectId": instance.project,
        }

    def send(self, method: str, path: str, caller: str, body: bytes | None = None, **headers: str) -> requests.Response:
        scheme_host = "{0.scheme}://{0.netloc}".format(urlsplit(self.instance.endpoint))
        sent = {"X-Appwrite-Project": self.instance.project, "Content-Type": "application/json"}
        return self.http.request(
            method, scheme_host + path, data=body, headers=sent | self.credentials[caller] | headers, timeout=60
        )

    def state(self) -> Any:
        """What an endpoint that refuses must not have changed."""
        tables = TablesDB(server(self.instance))
        users = Users(server(self.instance)).list()
        rows = tables.list_rows(self.database, "people")
        row = tables.get_row(self.database, "people", self.row).to_dict()
        return users.total, tables.list().total, tables.list_tables(self.database).total, rows.total, row


@pytest.fixture(scope="module")
def target(embedded: Instance) -> Target:
    return Target(embedded)


def is_appwrite_s(answer: requests.Response) -> bool:
    """Say whether an answer is a success, or an error as Appwrite writes it."""
    is_public = answer.headers["Cache-Control"] == "public, max-age=300"
    assert "no-store" in answer.headers["Cache-Control"] or (is_public and "jwks" in answer.url)
    if answer.status_code < 400:
        return True
    body = answer.json()
    assert set(body) == {"message", "code", "type", "version"}, body
    assert body["code"] == answer.status_code
    return answer.status_code < 500 and TYPES.get(body["type"]) == answer.status_code


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def fill(path: str, values: dict[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: quote(values[found[1]], safe=""), path)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.paths[0]}")
def test_no_garbage_is_answered_with_a_500(target: Target, endpoint: Any) -> None:
    names = parameter_names(endpoint)
    in_path = PLACEHOLDER.findall(endpoint.paths[0])
    # What a key may delete must not be there: an endpoint that deletes is given nothing that exists, and no session.
    known = {} if endpoint.method == "DELETE" else target.known
    callers = [name for name in target.credentials if endpoint.method != "DELETE" or name not in {"session", "jwt"}]
    before = target.state()
    changed = []

    # A twin of another endpoint differs from it in names alone.
    @settings(
        max_examples=10 if endpoint.service == "databases" else 40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(
        caller=st.sampled_from(callers),
        path=st.fixed_dictionaries({name: st.one_of(st.just(known.get(name, "x")), SEGMENTS) for name in in_path}),
        values=st.dictionaries(st.one_of(st.sampled_from(names or ["x"]), TEXTS), VALUES, max_size=5),
        likely=st.fixed_dictionaries({}, optional={name: LIKELY[name] for name in names if name in LIKELY}),
        raw=st.one_of(st.none(), st.none(), st.none(), RAW_BODIES),
    )
    def throw(
        caller: str, path: dict[str, str], values: dict[str, Any], likely: dict[str, Any], raw: bytes | None
    ) -> None:
        values |= likely

        url = fill(endpoint.paths[0], path)
        body = None
        if endpoint.method == "GET":
            pairs = [
                (f"{name}[{place}]" if isinstance(value, list) else name, one)
                for name, value in values.items()
                for place, one in enumerate(value if isinstance(value, list) else [value])
            ]
            url += "?" + urlencode([(name, text_of(one)) for name, one in pairs], errors="replace")
        else:
            body = raw if raw is not None else json.dumps(values).encode()
        answer = target.send(endpoint.method, url, caller, body)

        assert is_appwrite_s(answer), (answer.status_code, answer.text, caller, url, body)
        assert answer.status_code < 400 or answer.json()["type"] in error_types(endpoint), (answer.text, url, body)
        changed.append(answer.status_code < 400 and endpoint.method != "GET")

    throw()
    if not any(changed):
        assert target.state() == before


@pytest.mark.parametrize(
    ("method", "path", "sent", "expected"),
    [
        ("GET", "/v1/account", {"X-Appwrite-Project": "nowhere"}, (404, "project_not_found")),
        ("GET", "/v1/account", {"X-Appwrite-Project": ""}, (404, "project_not_found")),
        ("GET", "/v1/nowhere", {}, (404, "general_route_not_found")),
        ("GET", "/v1/users/nobody", {}, (404, "user_not_found")),
        ("GET", "/v1/users/id%0A", {}, (400, "general_argument_invalid")),
        ("GET", "/v1/users/a%00b", {}, (400, "general_argument_invalid")),
        ("GET", "/v1/account", {}, (401, "general_unauthorized_scope")),
        ("GET", "/v1/users", {"X-Appwrite-Key": "standard_0"}, (401, "user_unauthorized")),
        ("GET", "/v1/account", {"X-Appwrite-JWT": "a.b.c"}, (401, "user_jwt_invalid")),
    ],
)
def test_the_usual_mistakes(
    target: Target, method: str, path: str, sent: dict[str, str], expected: tuple[int, str]
) -> None:
    answer = target.send(method, path, "key", None, **sent)

    assert (answer.status_code, answer.json()["type"]) == expected


def test_large_requests_are_read_and_too_large_ones_are_refused(target: Target) -> None:
    path = f"/v1/tablesdb/{target.database}/tables/people/rows"
    accepted = target.send("POST", path, "key", json.dumps({"rowId": "x", "padding": "x" * (10 << 20)}).encode())
    refused = target.send("POST", path, "key", json.dumps({"rowId": "x", "padding": "x" * (17 << 20)}).encode())
    cookies = target.send("GET", path, "key", Cookie="other=" + "c" * 9_000)
    query = target.send("GET", path + "?" + "padding=" + "q" * 12_000, "key")

    assert (accepted.status_code, accepted.json()["type"]) == (400, "row_missing_data")
    assert (refused.status_code, refused.json()["type"]) == (413, "general_payload_too_large")
    assert cookies.status_code == query.status_code == 200
