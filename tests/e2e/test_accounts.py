"""What users do with themselves and backends with users, by the official SDK, whose models every answer must pass."""

import secrets

import pytest
from appwrite.enums.password_hash import PasswordHash
from appwrite.id import ID
from appwrite.query import Query
from appwrite.services.account import Account
from appwrite.services.users import Users
from argon2 import PasswordHasher

from tests.e2e.instance import Instance
from tests.e2e.sdk import call, client, refusal, server, with_jwt, with_session

PASSWORD, OTHER = "correct horse", "another password"
SALT = {"password_salt": "salt of sea", "password_cpu": 16384, "password_memory": 14, "password_parallel": 1}
SCRYPT = (
    "8f962780a26ed18fd831f64cabb7716bd172f7e9bbdf017ca8464c6abbd84a45"
    "a75e26ac232273ddbda80974a0785ec7f6f17e3384c3cba9a5e19b537c09198c"
)
SHA1 = "2f9e53523b62abc141a2b4d6019d23cba835dbd0"
FIREBASE = (
    "yx8dseuGoya1wCHzn0ZZNK37CKtNpCJ5oKvCI/dzF7SCYTKPTH7R3722ttDi4RiMwqTGk7QEfdPohRL3J6gTcf0=",
    "YSBzYWx0IG9mIGZpcmViYXNl",
    "Bw==",
    "dGhlIHNpZ25lciBrZXkgb2YgYSBwcm9qZWN0LCBvZiA2NCBieXRlcywgYXMgRmlyZWJhc2UgaGFzIHRoZW0uLi4=",
)
BCRYPT = "$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"
PHPASS = "$P$BabcdefghKfdE7H4Uy7ajxpijsjAJW0"
ARGON2 = PasswordHasher(time_cost=2, memory_cost=64, parallelism=2).hash(PASSWORD)


@pytest.fixture
def user(instance: Instance) -> str:
    """A new user, whose address is the id at x.org."""
    return str(Users(server(instance)).create(ID.unique(), password=PASSWORD, name="Ada").id)


def session_of(instance: Instance, user: str) -> str:
    return str(Users(server(instance)).create_session(user).secret)


@pytest.mark.check("identity 18")
@pytest.mark.check("identity 24")
@pytest.mark.check("identity 25")
@pytest.mark.check("identity 30")
@pytest.mark.check("identity 35")
@pytest.mark.check("identity 36")
def test_users_change_what_is_theirs(instance: Instance, user: str) -> None:
    account = Account(with_session(instance, session_of(instance, user)))
    email = f"{user}@x.org"

    assert account.update_name("Grace").name == "Grace"
    assert refusal(account.update_name, "n" * 129) == (400, "general_argument_invalid")
    assert refusal(Account(client(instance)).update_name, "Grace") == (401, "general_unauthorized_scope")
    assert account.update_email(email.upper(), PASSWORD).email == email
    assert refusal(account.update_email, email, PASSWORD) == (409, "user_target_already_exists")
    number = f"+1{secrets.randbelow(10**12):012d}"
    assert account.update_phone(number, PASSWORD).phone == number
    assert {target.identifier for target in account.get().targets} == {email, number}
    assert account.get_prefs().data == {}
    assert account.update_prefs({"theme": "dark", "n": 1}).prefs.data == {"theme": "dark", "n": 1}
    assert account.get_prefs().data == {"theme": "dark", "n": 1}
    before = account.get_session("current").expire
    assert account.update_session("current").expire > before


@pytest.mark.check("identity 26")
@pytest.mark.check("identity 28")
def test_a_new_password_ends_the_other_sessions(instance: Instance, user: str) -> None:
    mine, other = (session_of(instance, user) for _ in range(2))
    jwt = call(with_session(instance, other), "post", "/account/jwts")["jwt"]
    account = Account(with_session(instance, mine))

    assert Account(with_jwt(instance, jwt)).get().id == user
    assert refusal(account.update_password, OTHER, "not the password") == (401, "user_invalid_credentials")
    assert account.update_password(OTHER, PASSWORD).id == user
    for caller in (with_session(instance, other), with_jwt(instance, jwt)):
        assert refusal(Account(caller).get) == (401, "general_unauthorized_scope")
    assert [session.current for session in account.list_sessions().sessions] == [True]
    assert account.list_sessions(total=False).total == 0
    assert Users(server(instance)).list_sessions(user, total=False).total == 0


@pytest.mark.check("identity 37")
@pytest.mark.check("identity 38")
def test_a_user_who_blocks_themselves_is_blocked(instance: Instance, user: str) -> None:
    caller = with_session(instance, session_of(instance, user))

    assert Account(caller).update_status().status is False
    assert refusal(Account(caller).get) == (403, "user_blocked")
    assert Users(server(instance)).update_status(user, True).status is True
    assert refusal(Account(caller).get) == (401, "general_unauthorized_scope")
    assert Account(with_session(instance, session_of(instance, user))).get().status is True


@pytest.mark.check("identity 59")
@pytest.mark.check("identity 63")
def test_backends_change_users(instance: Instance, user: str) -> None:
    users = Users(server(instance))
    email = f"{user}@x.org"
    number = f"+1{secrets.randbelow(10**12):012d}"

    assert users.update_name(user, "").name == ""
    assert users.update_email(user, email).email == email
    assert users.update_phone(user, number).phone == number
    assert users.update_phone(user, "").phone == ""
    assert users.update_prefs(user, {"a": 1}).data == users.get_prefs(user).data == {"a": 1}
    assert users.update_email_verification(user, True).emailverification is True
    assert users.update_phone_verification(user, True).phoneverification is True
    assert users.update_email(user, f"new-{email}").emailverification is False
    assert users.list(queries=[Query.equal("email", f"new-{email}")]).users[0].id == user
    secret = session_of(instance, user)
    assert users.update_password(user, OTHER).hash == "argon2"
    assert refusal(Account(with_session(instance, secret)).get) == (401, "general_unauthorized_scope")
    assert users.update_password(user, "").hash == ""
    assert refusal(users.update_name, ID.unique(), "x") == (404, "user_not_found")


def test_hashes_are_brought_along(instance: Instance) -> None:
    users = Users(server(instance))
    ids = [ID.unique() for _ in range(7)]
    addresses = [f"{id_}@x.org" for id_ in ids]
    made = [
        users.create_argon2_user(ids[0], addresses[0], ARGON2),
        users.create_bcrypt_user(ids[1], addresses[1], BCRYPT),
        users.create_md5_user(ids[2], addresses[2], "3cb4e732631f47e6eb961f34554b7cde"),
        users.create_ph_pass_user(ids[3], addresses[3], PHPASS),
        users.create_scrypt_user(ids[4], addresses[4], SCRYPT, **SALT, password_length=64),
        users.create_scrypt_modified_user(ids[5], addresses[5], *FIREBASE),
        users.create_sha_user(ids[6], addresses[6], SHA1, PasswordHash.SHA1, "Ada"),
    ]

    assert [one.hash for one in made] == ["argon2", "bcrypt", "md5", "phpass", "scrypt", "scryptMod", "sha"]
    for address in addresses:
        signed_in = Account(server(instance)).create_email_password_session(address, PASSWORD)
        assert Account(with_session(instance, str(signed_in.secret))).get().email == address
        assert users.get(signed_in.userid).hash == "argon2"
