"""Birthdays: a backend acts for a user, and sees exactly what the user may see, for as long as the session lives.

Reads DAYPASS_ENDPOINT, DAYPASS_PROJECT and DAYPASS_KEY, which `daypass up` writes into a file. Needs the official
SDK: `pip install appwrite`. It can be run again and again, and leaves nothing behind.
"""

import os
import sys

from appwrite.client import Client
from appwrite.exception import AppwriteException
from appwrite.id import ID
from appwrite.permission import Permission
from appwrite.role import Role
from appwrite.services.account import Account
from appwrite.services.tables_db import TablesDB
from appwrite.services.users import Users

ENDPOINT, PROJECT, KEY = (os.environ[f"DAYPASS_{name}"] for name in ("ENDPOINT", "PROJECT", "KEY"))
BIRTHDAYS = {"ada": "1815-12-10", "grace": "1906-12-09", "alan": "1912-06-23"}
PASSWORD = "correct horse battery"  # noqa: S105 an example
TABLE = "birthdays"


def client() -> Client:
    """Make a client without credentials: a guest."""
    return Client().set_endpoint(ENDPOINT).set_project(PROJECT)


def main() -> None:
    """Set the stage, tell the story, and clear away."""
    admin = client().set_key(KEY)
    database = ID.unique()
    users = {name: ID.unique() for name in BIRTHDAYS}
    rows = set_up(admin, database, users)
    try:
        tell(admin, database, users["ada"], rows["ada"])
    finally:
        TablesDB(admin).delete(database)
        for user in users.values():
            Users(admin).delete(user)


def set_up(admin: Client, database: str, users: dict[str, str]) -> dict[str, str]:
    """Make the users, the table, and a row for each user; return the rows' ids by name."""
    tables = TablesDB(admin)
    tables.create(database, "Birthdays")
    columns = [
        {"key": "name", "type": "varchar", "size": 64, "required": True},
        {"key": "birthday", "type": "datetime", "required": True},
    ]
    tables.create_table(database, TABLE, "Birthdays", row_security=True, columns=columns)
    rows = {}
    for name, user in users.items():
        Users(admin).create(user, address(user), password=PASSWORD, name=name)
        data = {"name": name, "birthday": BIRTHDAYS[name]}
        row = tables.create_row(database, TABLE, ID.unique(), data, [Permission.read(Role.user(user))])
        rows[name] = row.id
    print("Three users, and a row for each that only its user may read.")
    return rows


def tell(admin: Client, database: str, ada: str, row: str) -> None:
    """Let Ada sign in and out, and a backend act for her all the while."""
    expect("An API key sees", seen(admin, database), "ada, grace, alan")

    # A caller with a key is shown the session's secret; a browser gets it as a cookie.
    session = Account(admin).create_email_password_session(address(ada), PASSWORD)
    signed_in = client().set_session(session.secret)
    # This SDK has no method for it: so the generic call.
    headers = {"content-type": "application/json", "X-Appwrite-Project": PROJECT}
    by_ada = client().set_jwt(signed_in.call("post", "/account/jwts", headers)["jwt"])
    by_key = client().set_jwt(Users(admin).create_jwt(ada).jwt)
    print("Ada signs in.")
    expect("A backend with a JWT made by Ada sees", seen(by_ada, database), "ada")
    expect("A backend with a JWT made by a key sees", seen(by_key, database), "ada")

    Account(signed_in).delete_session("current")
    print("Ada signs out.")
    expect("A backend with a JWT made by Ada sees", seen(by_ada, database), "nothing")
    expect("A backend with a JWT made by a key sees", seen(by_key, database), "nothing")
    expect("Her row:", refusal(TablesDB(by_ada).get_row, database, TABLE, row), "404 row_not_found")
    expect("Her account:", refusal(Account(by_key).get), "401 general_unauthorized_scope")


def address(user: str) -> str:
    """Return a user's e-mail address."""
    return f"{user}@example.org"


def seen(caller: Client, database: str) -> str:
    """List whose rows a caller may see."""
    found = TablesDB(caller).list_rows(database, TABLE)
    return ", ".join(row.data["name"] for row in found.rows) if found.total else "nothing"


def refusal(call, *arguments) -> str:  # noqa: ANN001, ANN002 any method of the SDK
    """Call what must be refused; return status and type."""
    try:
        call(*arguments)
    except AppwriteException as error:
        return f"{error.code} {error.type}"
    return "not refused"


def expect(what: str, found: str, expected: str) -> None:
    """Tell what is found, and end with exit code 1 where it is not what was expected."""
    print(what, found)
    if found != expected:
        sys.exit(f"expected: {expected}")


if __name__ == "__main__":
    main()
