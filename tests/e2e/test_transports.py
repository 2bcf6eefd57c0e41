"""Appwrite's official SDKs, of every language, each call answered as the bytes that the SDK sends ask for."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest
from appwrite.id import ID
from appwrite.permission import Permission
from appwrite.role import Role
from appwrite.services.tables_db import TablesDB
from appwrite.services.users import Users

from tests.e2e.instance import Instance
from tests.e2e.sdk import server
from tests.e2e.transports import TRANSPORTS, Transport

APPS = ("com.example.shop_app", "com.example.Shop", "com.example.shop")

each_transport = pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.name)


@dataclass(frozen=True)
class Caller:
    """A user who is signed in, and a table with a row that is hers, as an SDK calls them."""

    instance: Instance
    database: str
    user: str
    session: str

    def send(self, head: str, body: str | None = None) -> tuple[int, Any]:
        """Send a request as it is; return the status and the decoded body."""
        address = urlsplit(self.instance.endpoint)
        content = b"" if body is None else self.filled(body).encode()
        length = "" if body is None else f"Content-Length: {len(content)}\r\n"
        with socket.create_connection((str(address.hostname), address.port or 80), timeout=30) as connection:
            connection.sendall(self.filled(f"{head}{length}\r\n").encode() + content)
            answer = HTTPResponse(connection)
            answer.begin()
            text = answer.read()
        return answer.status, json.loads(text) if text else None

    def filled(self, text: str) -> str:
        values = {
            "HOST": urlsplit(self.instance.endpoint).netloc,
            "PROJECT": self.instance.project,
            "SESSION": self.session,
            "DATABASE": self.database,
        }
        for name, value in values.items():
            text = text.replace(name, value)
        return text


@pytest.fixture(scope="module")
def database(embedded: Instance) -> str:
    """A table in which every user may make rows; the project allows the apps that name themselves as their origin."""
    admin, database = server(embedded), ID.unique()
    columns = [{"key": "text", "type": "varchar", "size": 64, "required": True}, {"key": "stars", "type": "integer"}]
    TablesDB(admin).create(database, "Shop")
    permissions = [Permission.create(Role.users())]
    TablesDB(admin).create_table(database, "notes", "Notes", permissions, row_security=True, columns=columns)
    daypass = (sys.executable, "-c", "from services.cli import main; main()")
    allowed = [word for app in APPS for word in ("--add-origin", app)]
    environ = os.environ | {"DAYPASS_REDIS_URL": embedded.redis_url}
    subprocess.run([*daypass, "project", "update", embedded.project, *allowed], env=environ, check=True)
    return database


@pytest.fixture
def caller(embedded: Instance, database: str) -> Caller:
    admin = server(embedded)
    user = Users(admin).create(ID.unique()).id
    for text in ("a b", "another"):
        row = [Permission.read(Role.user(user))]
        TablesDB(admin).create_row(database, "notes", ID.unique(), {"text": text}, row)
    return Caller(embedded, database, user, Users(admin).create_session(user).secret)


@each_transport
def test_a_list_has_the_rows_that_its_queries_choose(caller: Caller, transport: Transport) -> None:
    path = f"/v1/tablesdb/DATABASE/tables/notes/rows?{transport.query}"

    status, page = caller.send(transport.head(f"GET {path} HTTP/1.1", transport.get))

    assert (status, page["total"], [row["text"] for row in page["rows"]]) == (200, 0, ["a b"])


@each_transport
def test_a_row_has_the_values_and_permissions_of_the_body(caller: Caller, transport: Transport) -> None:
    line = "POST /v1/tablesdb/DATABASE/tables/notes/rows HTTP/1.1"

    status, row = caller.send(transport.head(line, transport.body), transport.row)

    assert (status, row["text"], row["stars"], row["$permissions"]) == (201, "é", 3, ['read("any")'])


@each_transport
def test_an_empty_object_is_one_however_it_is_written(caller: Caller, transport: Transport) -> None:
    Users(server(caller.instance)).update_prefs(caller.user, {"theme": "dark"})

    status, user = caller.send(transport.head("PATCH /v1/account/prefs HTTP/1.1", transport.body), transport.no_prefs)

    assert (status, user["prefs"]) == (200, {})


@each_transport
def test_a_call_without_parameters_is_one_whatever_its_body(caller: Caller, transport: Transport) -> None:
    line = "DELETE /v1/account/sessions HTTP/1.1"

    assert caller.send(transport.head(line, transport.body), transport.nothing) == (204, None)
    status, refused = caller.send(transport.head("GET /v1/account HTTP/1.1", transport.get))
    assert (status, refused["type"]) == (401, "general_unauthorized_scope")
