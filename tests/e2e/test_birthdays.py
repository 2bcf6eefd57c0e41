"""The story of Appwrite's page on JWTs: a backend that acts for a user sees exactly what the user may see.

Three users, a table of birthdays with row security, and a row for each of them. Then the session is deleted, and the
JWT that was made from it is worth nothing, on every replica, from the moment the delete returns.
"""

import re
from dataclasses import dataclass

import pytest
from appwrite.client import Client
from appwrite.id import ID
from appwrite.permission import Permission
from appwrite.query import Query
from appwrite.role import Role
from appwrite.services.account import Account
from appwrite.services.tables_db import TablesDB
from appwrite.services.users import Users

from tests.e2e.instance import Instance
from tests.e2e.sdk import call, client, refusal, server, with_jwt, with_session

DATE = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00\Z"
BIRTHDAYS = {"ada": "1815-12-10", "grace": "1906-12-09", "alan": "1912-06-23"}
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Story:
    instance: Instance
    database: str
    table: str
    users: dict[str, str]
    rows: dict[str, str]

    def rows_seen(self, caller: Client, *queries: str) -> list[str]:
        found = TablesDB(caller).list_rows(self.database, self.table, queries=list(queries) or None)
        assert found.total == len(found.rows)
        return [row.data["name"] for row in found.rows]

    def sign_in(self, name: str) -> str:
        """Return a session's secret: only a caller with a key is shown it."""
        session = Account(server(self.instance)).create_email_password_session(f"{self.users[name]}@x.org", PASSWORD)
        return str(session.secret)


@pytest.fixture(scope="module")
def story(instance: Instance) -> Story:
    database, table = ID.unique(), "birthdays"
    users = {name: ID.unique() for name in BIRTHDAYS}
    tables = TablesDB(server(instance))
    for name, user in users.items():
        Account(client(instance)).create(user, f"{user}@x.org", PASSWORD, name)
    tables.create(database, "Birthdays")
    columns = [
        {"key": "name", "type": "varchar", "size": 64, "required": True},
        {"key": "birthday", "type": "datetime", "required": True},
    ]
    tables.create_table(database, table, "Birthdays", permissions=[], row_security=True, columns=columns)
    rows = {}
    for name, user in users.items():
        data = {"name": name, "birthday": BIRTHDAYS[name]}
        row = tables.create_row(database, table, ID.unique(), data, [Permission.read(Role.user(user))])
        rows[name] = row.id
    return Story(instance, database, table, users, rows)


def account_jwt(story: Story, session: str) -> str:
    made = call(with_session(story.instance, session), "post", "/account/jwts")
    return str(made["jwt"])


def users_jwt(story: Story, name: str) -> str:
    return str(Users(server(story.instance)).create_jwt(story.users[name]).jwt)


def test_a_key_sees_all_rows(story: Story) -> None:
    assert story.rows_seen(server(story.instance)) == list(BIRTHDAYS)


def test_a_guest_sees_none(story: Story) -> None:
    assert story.rows_seen(client(story.instance)) == []


@pytest.mark.parametrize("name", BIRTHDAYS)
def test_a_backend_with_a_jwt_sees_exactly_the_row_of_its_user(story: Story, name: str) -> None:
    backend = with_jwt(story.instance, account_jwt(story, story.sign_in(name)))

    assert story.rows_seen(backend) == [name]
    assert TablesDB(backend).get_row(story.database, story.table, story.rows[name]).data["name"] == name
    others = [other for other in BIRTHDAYS if other != name]
    for other in others:
        get = TablesDB(backend).get_row
        assert refusal(get, story.database, story.table, story.rows[other]) == (404, "row_not_found")
    assert story.rows_seen(backend, Query.equal("name", others)) == []


def test_a_row_is_shown_with_every_field_that_is_documented(story: Story) -> None:
    backend = with_jwt(story.instance, account_jwt(story, story.sign_in("ada")))
    path = f"/tablesdb/{story.database}/tables/{story.table}/rows"
    listed = call(backend, "get", path)
    row = listed["rows"][0]

    assert set(listed) == {"total", "rows"}
    assert listed["total"] == 1
    created = row.pop("$createdAt")
    assert row.pop("$updatedAt") == created
    assert re.match(DATE, created)
    assert row == {
        "$id": story.rows["ada"],
        "$sequence": "1",
        "$permissions": [f'read("user:{story.users["ada"]}")'],
        "$databaseId": story.database,
        "$tableId": story.table,
        "name": "ada",
        "birthday": "1815-12-10T00:00:00.000+00:00",
    }


def test_the_account_behind_a_jwt_is_shown_with_every_field_that_is_documented(story: Story) -> None:
    user = story.users["grace"]
    backend = with_jwt(story.instance, account_jwt(story, story.sign_in("grace")))
    account = call(backend, "get", "/account")

    assert {key: account[key] for key in ("$id", "email", "name", "status", "labels", "prefs", "phone", "mfa")} == {
        "$id": user,
        "email": f"{user}@x.org",
        "name": "grace",
        "status": True,
        "labels": [],
        "prefs": {},
        "phone": "",
        "mfa": False,
    }
    assert account["emailVerification"] is False
    assert account["targets"][0]["identifier"] == f"{user}@x.org"
    assert "password" not in account
    assert Account(backend).get().id == user


@pytest.mark.parametrize("made_by", ["account", "users"])
def test_a_jwt_is_dead_once_its_session_is_deleted(story: Story, made_by: str) -> None:
    session = story.sign_in("alan")
    jwt = account_jwt(story, session) if made_by == "account" else users_jwt(story, "alan")
    backend = with_jwt(story.instance, jwt)
    assert story.rows_seen(backend) == ["alan"]

    Account(with_session(story.instance, session)).delete_session("current")

    for _ in range(20):  # every replica behind the gateway gets its turn
        assert story.rows_seen(backend) == []
        get = TablesDB(backend).get_row
        assert refusal(get, story.database, story.table, story.rows["alan"]) == (404, "row_not_found")
        assert refusal(Account(backend).get) == (401, "general_unauthorized_scope")


def test_deleting_one_session_leaves_the_jwt_of_another_alone(story: Story) -> None:
    first, second = story.sign_in("ada"), story.sign_in("ada")
    kept = with_jwt(story.instance, account_jwt(story, second))

    Account(with_session(story.instance, first)).delete_session("current")

    assert story.rows_seen(kept) == ["ada"]


def test_the_jwt_of_a_blocked_user_is_refused_and_stays_so_when_the_user_is_unblocked(story: Story) -> None:
    backend = with_jwt(story.instance, account_jwt(story, story.sign_in("grace")))
    users = Users(server(story.instance))

    users.update_status(story.users["grace"], False)
    assert refusal(Account(backend).get) == (403, "user_blocked")
    users.update_status(story.users["grace"], True)
    assert refusal(Account(backend).get) == (401, "general_unauthorized_scope")
    assert Account(with_session(story.instance, story.sign_in("grace"))).get().id == story.users["grace"]
