"""What an operator sees of teams, tables and rows by the command line, beside what a backend sees by the SDK."""

import json
import os
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
from tests.e2e.sdk import server

REFUSED = 4
LONG = json.dumps({"method": "limit", "values": [1001]}).replace("{", "{{").replace("}", "}}")


@dataclass(frozen=True)
class Operator:
    """Who types commands, about the project of an instance."""

    instance: Instance

    @property
    def backend(self) -> Client:
        return server(self.instance)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).with_name("daypass"), *arguments]
        environ = os.environ | {"DAYPASS_REDIS_URL": self.instance.redis_url, "DAYPASS_PROJECT": self.instance.project}
        return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60, check=False)

    def reads(self, *arguments: str) -> Any:
        answer = self.run(*arguments, "--json")
        assert (answer.returncode, answer.stderr) == (0, "")
        return json.loads(answer.stdout)

    def sees(self, *arguments: str) -> str:
        answer = self.run(*arguments)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout


@pytest.fixture
def operator(instance: Instance) -> Operator:
    if not instance.redis_url:
        pytest.skip("no test can reach its Redis")
    return Operator(instance)


@pytest.fixture
def database(operator: Operator) -> str:
    """A database with a table of books; only Ada may read the first."""
    tables, id_ = TablesDB(operator.backend), ID.unique()
    tables.create(id_, "Library")
    columns = [
        {"key": "title", "type": "varchar", "size": 64, "required": True},
        {"key": "pages", "type": "integer", "required": False, "min": 0, "max": 9999},
    ]
    indexes = [{"key": "titles", "type": "key", "attributes": ["title"]}]
    permissions = [Permission.create(Role.users())]
    tables.create_table(id_, "books", "Books", permissions, row_security=True, columns=columns, indexes=indexes)
    tables.create_row(id_, "books", "faust", {"title": "Faust"}, [Permission.read(Role.user("ada"))])
    tables.create_row(id_, "books", "emma", {"title": "Emma", "pages": 474})
    return id_


def test_tables_are_listed_of_one_database_and_of_all(operator: Operator, database: str) -> None:
    (listed,) = operator.reads("table", "list", "--database", database)

    assert (listed["id"], listed["name"], listed["row_security"]) == ("books", "Books", True)
    assert listed in operator.reads("table", "list")
    assert "Books" in operator.sees("table", "list")


def test_a_table_is_shown_with_columns_indexes_and_permissions(operator: Operator, database: str) -> None:
    table = operator.reads("table", "show", database, "books")["table"]

    assert table["permissions"] == ['create("users")']
    assert [(column["key"], column["type"], column["options"]) for column in table["columns"]] == [
        ("title", "varchar", {"size": 64}),
        ("pages", "integer", {"min": 0, "max": 9999}),
    ]
    assert [(index["key"], index["columns"]) for index in table["indexes"]] == [("titles", ["title"])]
    shown = operator.sees("table", "show", database, "books")
    assert 'create("users")' in shown
    assert "size 64" in shown


def test_rows_are_listed_by_queries_as_a_key_reads_them(operator: Operator, database: str) -> None:
    tables = TablesDB(operator.backend)
    titled = json.dumps({"method": "equal", "attribute": "title", "values": ["Emma"]})

    every = operator.reads("row", "list", database, "books")
    (emma,) = operator.reads("row", "list", database, "books", "--query", titled)

    assert [row["$id"] for row in every] == ["faust", "emma"]
    assert emma["$permissions"] == tables.get_row(database, "books", "emma").permissions
    assert emma["pages"] == 474
    few = operator.run("row", "list", database, "books", "--limit", "1")
    assert ("Faust" in few.stdout, "Emma" in few.stdout, few.stderr) == (True, False, "1 of 2\n")


def test_a_row_is_shown_whoever_may_read_it(operator: Operator, database: str) -> None:
    row = operator.reads("row", "show", database, "books", "faust")["row"]

    assert (row["title"], row["$permissions"]) == ("Faust", ['read("user:ada")'])
    assert 'read("user:ada")' in operator.sees("row", "show", database, "books", "faust")


def test_a_team_is_shown_with_members_and_their_roles(operator: Operator) -> None:
    teams, user = Teams(operator.backend), Users(operator.backend).create(ID.unique(), name="Ada").id
    team = teams.create(ID.unique(), "Court").id
    membership = teams.create_membership(team, ["judge"], user_id=user).id

    shown = operator.reads("team", "show", team)["team"]

    assert (shown["name"], shown["total"]) == ("Court", 1)
    (member,) = shown["memberships"]
    assert (member["id"], member["user_id"], member["roles"]) == (membership, user, ["judge"])
    assert (member["name"], member["confirmed"]) == ("Ada", True)
    assert "judge" in operator.sees("team", "show", team)
    assert team in operator.sees("team", "list", "--search", team)


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (("table", "show", "{database}", "nothing"), "Table"),
        (("row", "list", "nothing", "books"), "Database"),
        (("row", "show", "{database}", "books", "nothing"), "Row"),
        (("row", "list", "{database}", "books", "--query", "{{"), "query"),
        (("row", "list", "{database}", "books", "--query", LONG), "at most 1,000 rows"),
        (("row", "list", "{database}", "books", "--project", "nothing"), "Project"),
        (("team", "show", "nothing"), "Team"),
    ],
)
def test_what_is_not_there_is_named(operator: Operator, database: str, command: tuple[str, ...], names: str) -> None:
    answer = operator.run(*(word.format(database=database) for word in command))

    assert (answer.returncode, answer.stdout) == (REFUSED, "")
    assert names in answer.stderr
    assert "Traceback" not in answer.stderr
