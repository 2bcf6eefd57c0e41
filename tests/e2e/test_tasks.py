"""The example of docs/how-to/backend.md: a page in a browser, and a backend that acts for the page's user.

The backend is called by the official Python SDK's JWTs everywhere, and by the page where Chromium is installed.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from appwrite.client import Client
from appwrite.id import ID
from appwrite.permission import Permission
from appwrite.role import Role
from appwrite.services.account import Account
from appwrite.services.tables_db import TablesDB
from appwrite.services.teams import Teams
from appwrite.services.users import Users

from tests.e2e.instance import Instance
from tests.e2e.page import Page, open_page
from tests.e2e.processes import free_port
from tests.e2e.programs import ROOT, fenced, need_web_sdk, run
from tests.e2e.sdk import call, server, with_session

EXAMPLES = ROOT / "docs" / "examples"
HOW_TO = (ROOT / "docs" / "how-to" / "backend.md").read_text(encoding="utf-8")
FORGED = "eyJhbGciOiJub25lIn0.e30."


@dataclass(frozen=True)
class User:
    """A user who is signed in, and the backend as the page of this user calls it."""

    id: str
    client: Client
    jwt: str
    backend: str

    @classmethod
    def signed_in(cls, instance: Instance, backend: str, name: str) -> "User":
        user = Users(server(instance)).create(ID.unique(), name=name).id
        client = with_session(instance, Users(server(instance)).create_session(user).secret)
        return cls(user, client, call(client, "post", "/account/jwts")["jwt"], backend)

    def add(self, text: str, role: str) -> None:
        permissions = [Permission.read(role), Permission.update(role)]
        TablesDB(self.client).create_row("tasks", "tasks", ID.unique(), {"text": text}, permissions)

    def ask(self, method: str = "GET", path: str = "/api/tasks") -> tuple[int, dict[str, object]]:
        answer = requests.request(
            method, f"{self.backend}{path}", headers={"Authorization": f"Bearer {self.jwt}"}, timeout=30
        )
        return answer.status_code, answer.json()


@contextlib.contextmanager
def open_backend(instance: Instance, folder: Path = EXAMPLES) -> Iterator[str]:
    """Start the backend of a folder, and stop it in the end; return its URL."""
    port = free_port()
    environ = os.environ | {
        "DAYPASS_ENDPOINT": instance.endpoint,
        "DAYPASS_PROJECT": instance.project,
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, folder / "backend.py"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert any("Running on" in line for line in process.stdout)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def table(embedded: Instance) -> Iterator[Instance]:
    """An instance with the table that the page on the example makes."""
    run([sys.executable, "-c", fenced(HOW_TO, "python")[0]], embedded)
    yield embedded
    TablesDB(server(embedded)).delete("tasks")


@pytest.fixture(scope="module")
def backend(table: Instance) -> Iterator[str]:
    with open_backend(table) as url:
        yield url


@pytest.fixture
def ada(table: Instance, backend: str) -> User:
    return User.signed_in(table, backend, "Ada")


@pytest.fixture
def grace(table: Instance, backend: str) -> User:
    return User.signed_in(table, backend, "Grace")


def test_the_backend_sees_and_changes_the_tasks_of_its_user_alone(ada: User, grace: User) -> None:
    ada.add("sketch the engine", Role.user(ada.id))
    grace.add("find the moth", Role.user(grace.id))

    assert ada.ask() == (200, {"user": "Ada", "open": ["sketch the engine"]})
    assert ada.ask("POST", "/api/tasks/done") == (200, {"user": "Ada", "done": 1})
    assert ada.ask() == (200, {"user": "Ada", "open": []})
    assert grace.ask() == (200, {"user": "Grace", "open": ["find the moth"]})


def test_the_backend_acts_on_what_a_colleague_shares(table: Instance, ada: User, grace: User) -> None:
    team = Teams(server(table)).create(ID.unique(), "Analysts").id
    for user in (ada, grace):
        Teams(server(table)).create_membership(team, [], user_id=user.id)
    ada.add("sketch the engine", Role.team(team))

    assert grace.ask("POST", "/api/tasks/done") == (200, {"user": "Grace", "done": 1})
    assert ada.ask() == (200, {"user": "Ada", "open": []})


def test_the_backend_is_refused_from_the_moment_its_user_has_signed_out(ada: User) -> None:
    ada.add("sketch the engine", Role.user(ada.id))
    assert ada.ask()[0] == 200

    Account(ada.client).delete_session("current")

    for method, path in (("GET", "/api/tasks"), ("POST", "/api/tasks/done")):
        status, refusal = ada.ask(method, path)
        assert (status, refusal["type"]) == (401, "general_unauthorized_scope")


def test_the_backend_is_refused_once_its_user_is_blocked(table: Instance, ada: User) -> None:
    Users(server(table)).update_status(ada.id, False)

    status, refusal = ada.ask()
    assert (status, refusal["type"]) == (403, "user_blocked")


@pytest.mark.parametrize(
    ("jwt", "type_"), [("", "general_unauthorized_scope"), (FORGED, "user_jwt_invalid")], ids=["none", "forged"]
)
def test_the_backend_is_refused_without_a_jwt_of_a_user(backend: str, jwt: str, type_: str) -> None:
    status, refusal = User("", Client(), jwt, backend).ask()

    assert (status, refusal["type"]) == (401, type_)


def test_the_backend_says_so_if_daypass_cannot_be_reached(table: Instance) -> None:
    away = Instance(topology="embedded", endpoint=f"http://127.0.0.1:{free_port()}/v1", project="default", key="")
    with open_backend(away) as url:
        assert User("", Client(), "x", url).ask()[0] == 502


@pytest.mark.parametrize(("language", "file"), [("python", "backend.py"), ("js", "tasks.html")])
def test_the_lines_that_the_page_on_the_example_shows_are_in_it(language: str, file: str) -> None:
    lines = {line.strip() for line in (EXAMPLES / file).read_text(encoding="utf-8").splitlines()}
    blocks = fenced(HOW_TO, language)[1 if language == "python" else 0 :]

    assert blocks
    assert [line for block in blocks for line in block.splitlines() if line.strip() not in lines] == []


@pytest.fixture(scope="module")
def page(table: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page in a browser, served by the backend, with the endpoint of this instance."""
    folder = tmp_path_factory.mktemp("examples")
    need_web_sdk(folder)
    shutil.copy(EXAMPLES / "backend.py", folder)
    text, count = re.subn(
        r'(?m)^const ENDPOINT = "[^"]*"', f'const ENDPOINT = "{table.endpoint}"', (EXAMPLES / "tasks.html").read_text()
    )
    assert count == 1
    (folder / "tasks.html").write_text(text, encoding="utf-8")
    with open_backend(table, folder) as url, open_page(url) as page:
        yield page


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_user_signs_up_and_keeps_a_list_in_the_page(page: Page, host: str) -> None:
    page.visit(host)
    page.sign_up("Ada")
    page.fill("#add", text="sketch the engine")
    page.shows("#tasks li", "sketch the engine\nonly me")
    page.click("#tasks input")
    page.shows("#tasks li.done", "sketch the engine\nonly me")
    page.reload()
    page.shows("#tasks li.done", "sketch the engine\nonly me")
    page.click("#sign-out")
    page.shows("#notice", "You are signed out.")
    page.shows("#tasks", "")


def test_a_colleague_sees_what_is_shared_and_nothing_else(table: Instance, page: Page) -> None:
    page.visit()
    page.sign_up("Ada")
    page.fill("#create-team", name="Analysts")
    page.shows("#members li", "Ada\nAnalysts")
    page.fill("#add", text="a secret")
    page.choose("#add select", "Analysts")
    page.fill("#add", text="sketch the engine")
    page.shows("#tasks", "a secret\nonly me\nsketch the engine\nAnalysts")
    grace = f"{ID.unique()}@example.org"
    page.fill("#invite", email=grace)
    page.shows("#notice", f"{grace} is invited")
    page.click("#sign-out")
    page.shows("#notice", "You are signed out.")
    page.sign_up("Grace", grace)
    assert table.invitations is not None
    letters = [json.loads(letter.read_text()) for letter in table.invitations.iterdir()]
    page.follow(next(letter["link"] for letter in letters if letter["to"] == grace))
    page.shows("#notice", "You are in the team Analysts.")
    page.shows("#tasks", "sketch the engine\nAnalysts")
    page.click("#tasks input")
    page.shows("#tasks li.done", "sketch the engine\nAnalysts")


def test_the_backend_acts_for_the_user_of_the_page_until_the_sign_out(page: Page) -> None:
    page.visit()
    page.sign_up("Ada")
    page.fill("#add", text="sketch the engine")
    page.shows("#tasks li", "sketch the engine\nonly me")
    page.click("#ask")
    page.shows("#answer", "It acts for Ada and sees 1 open: sketch the engine")
    page.click("#tick-off")
    page.shows("#tasks li.done", "sketch the engine\nonly me")
    page.click("#sign-out")
    page.shows("#notice", "The backend tried your JWT once more: 401 general_unauthorized_scope.")


def test_a_wrong_password_is_told(page: Page) -> None:
    page.visit()
    page.fill("#sign-in", email=f"{ID.unique()}@example.org", password="not this one")
    page.shows("#notice", "Invalid credentials.")
