"""What a page of a foreign origin can do with the cookie of a user who visits it: nothing."""

import json
import os
import subprocess
import sys
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from appwrite.id import ID
from appwrite.services.users import Users

from shared.web.scopes import Caller
from tests.declarations import ENDPOINTS, PLACEHOLDER
from tests.e2e.instance import Instance
from tests.e2e.sdk import server

FOREIGN = {"Origin": "https://evil.test"}
CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}
KEYS: list[dict[str, str]] = [{}, *({"X-Appwrite-Key": key} for key in ("", "x_y", "y", "dev_y", "standard_y"))]
CHANGES = [one for one in ENDPOINTS if one.method != "GET" and one.callers is not Caller.PUBLIC]


class Visitor:
    """A browser that holds the session cookie of a user."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.user = Users(server(instance)).create(ID.unique(), name="Ada").id
        secret = Users(server(instance)).create_session(self.user).secret
        self.cookie = {"Cookie": f"a_session_{instance.project}={secret}"}
        self.http = requests.Session()
        self.http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def send(self, method: str, path: str, headers: dict[str, str], json: Any = None) -> requests.Response:
        address = urlsplit(self.instance.endpoint)
        sent = {"X-Appwrite-Project": self.instance.project} | self.cookie | headers
        body = None if method == "GET" else json or {"name": "pwned"}
        return self.http.request(method, f"{address.scheme}://{address.netloc}{path}", headers=sent, json=body)

    def is_untouched(self) -> bool:
        user = Users(server(self.instance)).get(self.user)
        return user.name == "Ada" and user.status and self.send("GET", "/v1/account", {}).status_code == 200


@pytest.fixture(scope="module")
def visitor(embedded: Instance) -> Visitor:
    return Visitor(embedded)


@pytest.fixture(scope="module")
def keys(embedded: Instance) -> list[dict[str, str]]:
    """Everything that a page can put into the header of an API key, without knowing one of this project."""
    daypass = (sys.executable, "-c", "from services.cli import main; main()")
    environ = os.environ | {"DAYPASS_REDIS_URL": embedded.redis_url}
    other = f"other{ID.unique()[:8]}"
    subprocess.run([*daypass, "project", "create", other], env=environ, check=True, capture_output=True)
    made = subprocess.run(
        [*daypass, "key", "create", "--name", "theirs", "--project", other, "--json"],
        env=environ, check=True, capture_output=True,
    )  # fmt: skip
    return [*KEYS, {"X-Appwrite-Key": json.loads(made.stdout)["key"]["secret"]}]


@pytest.mark.parametrize("endpoint", CHANGES, ids=lambda endpoint: f"{endpoint.method} {endpoint.paths[0]}")
def test_a_foreign_page_changes_nothing_whatever_key_it_sends(
    visitor: Visitor, keys: list[dict[str, str]], endpoint: Any
) -> None:
    path = PLACEHOLDER.sub("x", endpoint.paths[0])

    for key in keys:
        answer = visitor.send(endpoint.method, path, key | FOREIGN)
        assert answer.status_code in {401, 403}, (key, answer.text)
        # A page may read that it may not call, which is the same for every visitor, and nothing else.
        may_read = answer.json()["type"] == "general_unknown_origin"
        assert ("Access-Control-Allow-Origin" in answer.headers) == may_read
    assert visitor.is_untouched()


@pytest.mark.parametrize("endpoint", CHANGES, ids=lambda endpoint: f"{endpoint.method} {endpoint.paths[0]}")
def test_a_bad_key_beside_a_session_is_an_error_and_no_fall_back(
    visitor: Visitor, keys: list[dict[str, str]], endpoint: Any
) -> None:
    path = PLACEHOLDER.sub("x", endpoint.paths[0])

    for key in keys:
        if key.get("X-Appwrite-Key"):
            answer = visitor.send(endpoint.method, path, key)
            assert (answer.status_code, answer.json()["type"]) == (401, "user_unauthorized"), key
    assert visitor.is_untouched()


@pytest.mark.parametrize("endpoint", CHANGES, ids=lambda endpoint: f"{endpoint.method} {endpoint.paths[0]}")
def test_a_cookie_from_another_site_counts_only_where_a_page_is_named_that_may_call(
    visitor: Visitor, endpoint: Any
) -> None:
    path = PLACEHOLDER.sub("x", endpoint.paths[0])

    for page in ({}, {"Referer": "https://evil.test/x"}):
        answer = visitor.send(endpoint.method, path, CROSS_SITE | page)
        assert (answer.status_code, answer.json()["type"]) == (403, "general_unknown_origin")
    assert visitor.is_untouched()


@pytest.mark.parametrize(
    "page", [{"Origin": "http://localhost:3000"}, {"Referer": "http://localhost:3000/x"}], ids=["origin", "referer"]
)
def test_a_page_of_the_project_calls_from_another_site(visitor: Visitor, page: dict[str, str]) -> None:
    answer = visitor.send("PATCH", "/v1/account/prefs", CROSS_SITE | page, json={"prefs": {"from": "page"}})

    assert answer.status_code == 200


def test_an_empty_key_is_no_key(visitor: Visitor) -> None:
    assert visitor.send("GET", "/v1/account", {"X-Appwrite-Key": ""}).json()["$id"] == visitor.user
