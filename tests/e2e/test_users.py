"""What backends do with users' sessions and tokens, by the official SDK."""

import pytest
from appwrite.id import ID
from appwrite.query import Query
from appwrite.services.account import Account
from appwrite.services.users import Users

from tests.e2e.instance import Instance
from tests.e2e.sdk import client, refusal, server, with_jwt, with_session

PASSWORD = "correct horse"
GONE = (401, "general_unauthorized_scope")


@pytest.fixture
def users(embedded: Instance) -> Users:
    return Users(server(embedded))


@pytest.fixture
def user(users: Users) -> str:
    """A new user."""
    return str(users.create(ID.unique(), password=PASSWORD, name="Ada").id)


def test_users_are_listed_by_queries_and_searched(users: Users) -> None:
    ids = [ID.unique() for _ in range(3)]
    word = f"w{ids[0]}"
    for id_, name in zip(ids, ("Ada", "Alan", "Grace"), strict=True):
        users.create(id_, f"{id_}@x.org", name=f"{name} {word}")

    def matching(*queries: str) -> list[str]:
        return [one.id for one in users.list(list(queries), search=word).users]

    assert matching() == ids
    assert matching(Query.equal("name", [f"Ada {word}", f"Grace {word}"])) == [ids[0], ids[2]]
    assert matching(Query.order_desc("name"), Query.limit(2)) == [ids[2], ids[1]]
    assert matching(Query.cursor_after(ids[0])) == ids[1:]
    assert users.list(search=word, total=False).total == 0
    users.delete(ids[0])
    assert matching() == ids[1:]
    assert refusal(users.get, ids[0]) == (404, "user_not_found")


def test_a_user_tells_what_the_address_does(users: Users) -> None:
    id_ = ID.unique()
    user = users.create(id_, f"{id_}+news@gmail.com")
    phone_only = users.create(ID.unique())

    assert (user.emailcanonical, user.emailiscanonical) == (f"{id_}@gmail.com", False)
    assert (user.emailisfree, user.emailisdisposable, user.emailiscorporate) == (True, False, False)
    assert (phone_only.emailcanonical, phone_only.emailisfree) == (None, None)


def test_sessions_end_one_by_one_and_all_at_once(embedded: Instance, users: Users, user: str) -> None:
    sessions = [users.create_session(user) for _ in range(3)]
    accounts = [Account(with_session(embedded, str(one.secret))) for one in sessions]

    assert [one.id for one in users.list_sessions(user).sessions] == [one.id for one in sessions]
    users.delete_session(user, sessions[0].id)
    assert refusal(accounts[0].get) == GONE
    assert accounts[1].get().id == user
    users.delete_sessions(user)
    assert [refusal(one.get) for one in accounts] == [GONE] * 3
    assert users.list_sessions(user).total == 0


def test_a_token_is_exchanged_for_a_session_once(embedded: Instance, users: Users, user: str) -> None:
    token = users.create_token(user, 12, 600)
    account = Account(server(embedded))

    assert (token.userid, len(token.secret)) == (user, 12)
    session = account.create_session(user, token.secret)
    assert Account(with_session(embedded, str(session.secret))).get().id == user
    assert refusal(account.create_session, user, token.secret) == (401, "user_invalid_token")


def test_a_jwt_of_a_session_ends_with_it(embedded: Instance, users: Users, user: str) -> None:
    session = users.create_session(user)
    account = Account(with_jwt(embedded, users.create_jwt(user, session.id, 600).jwt))

    assert account.get().id == user
    users.delete_session(user, session.id)
    assert refusal(account.get) == GONE


def test_labels_are_those_that_were_given_last(embedded: Instance, users: Users, user: str) -> None:
    account = Account(with_session(embedded, str(users.create_session(user).secret)))

    assert users.update_labels(user, ["vip"]).labels == account.get().labels == ["vip"]
    assert users.update_labels(user, []).labels == account.get().labels == []


def test_a_backend_passes_the_user_agent_of_a_browser_on(embedded: Instance, users: Users, user: str) -> None:
    token = users.create_token(user, 32)
    agent = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0"
    backend = server(embedded).set_forwarded_user_agent(agent)

    session = Account(backend).create_session(user, token.secret)

    assert (session.oscode, session.clientcode, session.devicename) == ("UBT", "FF", "desktop")
    assert (session.countrycode, session.countryname) == ("--", "Unknown")
    assert users.list_sessions(user).sessions[0].clientname == "Firefox"


def test_users_without_an_account_sign_in_and_out(embedded: Instance) -> None:
    session = Account(server(embedded)).create_anonymous_session()
    account = Account(with_session(embedded, str(session.secret)))

    assert account.get().email == ""
    account.delete_sessions()
    assert refusal(account.get) == GONE
    assert refusal(Account(client(embedded)).get) == GONE
