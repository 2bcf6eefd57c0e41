"""Birthdays: a backend acts for a user, and sees exactly what the user may see, for as long as the session lives.

Reads DAYPASS_ENDPOINT, DAYPASS_PROJECT and DAYPASS_KEY, which `daypass up` writes into a file. Needs the official
SDK: `pip install appwrite`.
"""

import os

from appwrite.client import Client
from appwrite.exception import AppwriteException
from appwrite.id import ID
from appwrite.permission import Permission
from appwrite.role import Role
from appwrite.services.account import Account
from appwrite.services.tables_db import TablesDB

ENDPOINT, PROJECT, KEY = (os.environ[f"DAYPASS_{name}"] for name in ("ENDPOINT", "PROJECT", "KEY"))
BIRTHDAYS = {"ada": "1815-12-10", "grace": "1906-12-09", "alan": "1912-06-23"}
PASSWORD = "correct horse battery"  # noqa: S105 an example


def client() -> Client:
    """Make a client without credentials: a guest."""
    return Client().set_endpoint(ENDPOINT).set_project(PROJECT)


def main() -> None:
    """Tell the story."""
    admin = client().set_key(KEY)
    tables, database = TablesDB(admin), ID.unique()
    tables.create(database, "Birthdays")
    tables.create_table(
        database,
        "birthdays",
        "Birthdays",
        row_security=True,
        columns=[
            {"key": "name", "type": "varchar", "size": 64, "required": True},
            {"key": "birthday", "type": "datetime", "required": True},
        ],
    )
    for name, birthday in BIRTHDAYS.items():
        user = Account(client()).create(ID.unique(), f"{name}-{database}@example.org", PASSWORD, name)
        row = {"name": name, "birthday": birthday}
        tables.create_row(database, "birthdays", ID.unique(), row, [Permission.read(Role.user(user.id))])
    print("a key sees: ", names(admin, database))

    session = Account(admin).create_email_password_session(f"ada-{database}@example.org", PASSWORD)
    signed_in = client().set_session(session.secret)
    headers = {"content-type": "application/json", "X-Appwrite-Project": PROJECT}
    jwt = signed_in.call("post", "/account/jwts", headers)["jwt"]
    backend = client().set_jwt(jwt)
    print("Ada's JWT:  ", names(backend, database))

    Account(signed_in).delete_session("current")
    print("signed out: ", names(backend, database))
    try:
        Account(backend).get()
    except AppwriteException as error:
        print("her account:", error.code, error.type)
    tables.delete(database)


def names(caller: Client, database: str) -> list[str]:
    """List the rows that a caller may see."""
    return [row.data["name"] for row in TablesDB(caller).list_rows(database, "birthdays").rows]


if __name__ == "__main__":
    main()
