"""Why a user sees a row: told to a backend by the official SDK, and to people by the command line."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from appwrite.client import Client
from appwrite.id import ID
from appwrite.permission import Permission
from appwrite.role import Role
from appwrite.services.tables_db import TablesDB
from appwrite.services.teams import Teams
from appwrite.services.users import Users

from tests.e2e.instance import Instance
from tests.e2e.sdk import refusal, server

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "explain.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


@dataclass(frozen=True)
class Story:
    """What the page on explanations tells of: a reader, Ada, and a book that readers may read."""

    instance: Instance
    database: str
    user: str

    @property
    def backend(self) -> Client:
        return server(self.instance)

    def explained(self, whom: str, *, jwt: str = "") -> Any:
        asking = self.backend.add_header("X-Daypass-Explain", whom)
        if jwt:
            asking.set_jwt(jwt)
        return TablesDB(asking).get_row(self.database, "books", "faust").data["$explain"]

    def as_told(self, text: str) -> str:
        """Return a text of the page, where the user is Ada, as of this story's user."""
        return text.replace("ada", self.user)


@pytest.fixture
def story(instance: Instance) -> Story:
    backend = server(instance)
    database, tables = ID.unique(), TablesDB(backend)
    tables.create(database, "Library")
    columns = [{"key": "title", "type": "varchar", "size": 64, "required": True}]
    tables.create_table(
        database, "books", "Books", [Permission.create(Role.users())], row_security=True, columns=columns
    )
    permissions = [Permission.read(Role.label("reader")), Permission.update(Role.label("author"))]
    tables.create_row(database, "books", "faust", {"title": "Faust"}, permissions)
    user = Users(backend).create(ID.unique()).id
    Users(backend).update_labels(user, ["reader"])
    return Story(instance, database, user)


def test_a_backend_is_told_what_the_page_says(story: Story) -> None:
    expected = json.loads(story.as_told(block("json")))

    assert story.explained(f"user:{story.user}") == expected
    jwt = str(Users(story.backend).create_jwt(story.user).jwt)
    assert story.explained("1", jwt=jwt) == expected
    assert [one["allowed"] for one in story.explained("1")["actions"]] == [False] * 4


def test_the_roles_are_those_of_the_moment(story: Story) -> None:
    users, whom = Users(story.backend), f"user:{story.user}"
    team = Teams(story.backend).create(ID.unique(), "Court").id
    membership = Teams(story.backend).create_membership(team, ["judge"], user_id=story.user).id
    users.update_email_verification(story.user, True)

    told = story.explained(whom)
    assert {f"team:{team}", f"team:{team}/judge", f"member:{membership}", "users/verified"} <= set(told["roles"])
    assert told == story.explained("1", jwt=str(users.create_jwt(story.user).jwt))

    users.update_labels(story.user, [])
    assert story.explained(whom)["actions"][0]["needs"] == ["label:reader"]
    users.update_status(story.user, False)
    assert story.explained(whom)["refusal"] == "user_blocked"
    users.delete(story.user)
    assert refusal(story.explained, whom) == (404, "user_not_found")


def test_people_are_told_what_the_page_says(story: Story) -> None:
    if not story.instance.redis_url:
        pytest.skip("no test can reach its Redis")

    def daypass(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).with_name("daypass"), "explain", "--project", story.instance.project]
        environ = os.environ | {"DAYPASS_REDIS_URL": story.instance.redis_url}
        return subprocess.run([*command, *arguments], capture_output=True, text=True, env=environ, timeout=60)

    shown = daypass(story.database, "books", "faust", "--user", story.user)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == story.as_told(block("text"))
    as_json = daypass(story.database, "books", "faust", "--user", story.user, "--json")
    assert json.loads(as_json.stdout) == story.explained(f"user:{story.user}")
    guest = daypass(story.database, "books")
    assert (guest.returncode, guest.stdout.splitlines()[0]) == (0, "a guest holds any, guests")
    assert "needs users" in guest.stdout
    unknown = daypass(story.database, "books", "nothing")
    assert (unknown.returncode, unknown.stdout) == (4, "")
    assert "Row with the requested ID could not be found." in unknown.stderr
