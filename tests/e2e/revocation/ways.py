"""The ways to take something from one principal: a session, its JWT, a role, a permission, a key."""

import secrets
import time

from tests.e2e.revocation.probes import of_grant, of_key, of_label, of_user
from tests.e2e.revocation.projects import NO_ANSWERS, PATIENCE_S, TABLES, Person, for_role
from tests.e2e.revocation.rounds import ALL, OF_USER, Grant, Round, Way

SESSIONS = 10
"""A user has so many at most."""


async def by_key(one: Round, service: str, method: str, path: str, body: object = None) -> int:
    """Ask by the key of all scopes; return the status."""
    return (await one.person.project.by_key(service, method, path, body))[0]


async def by_session(one: Round, method: str, path: str) -> int:
    """Ask auth by the session; return the status."""
    return (await one.person.project.client.ask("auth", method, path, one.headers("session")))[0]


# sessions and users


async def delete_own(one: Round) -> int:
    return await by_session(one, "DELETE", "/account/sessions/current")


async def delete_all_own(one: Round) -> int:
    return await by_session(one, "DELETE", "/account/sessions")


async def delete_account(one: Round) -> int:
    return await by_session(one, "DELETE", "/account")


async def delete_by_key(one: Round) -> int:
    return await by_key(one, "auth", "DELETE", f"/users/{one.person.id}/sessions/{one.session}")


async def delete_all_by_key(one: Round) -> int:
    return await by_key(one, "auth", "DELETE", f"/users/{one.person.id}/sessions")


async def change_password(one: Round) -> int:
    """By a key, which ends all sessions."""
    return await by_key(one, "auth", "PATCH", f"/users/{one.person.id}/password", {"password": secrets.token_hex(8)})


async def sign_in_too_often(one: Round) -> int:
    """Newer sessions by login tokens, until the oldest has to go; a delete of it is answered when that is in force."""
    project, made, deadline = one.person.project, 0, time.monotonic() + PATIENCE_S
    while made < SESSIONS:
        token = await project.good("auth", "POST", f"/users/{one.person.id}/tokens", 201, {})
        body = {"userId": one.person.id, "secret": token["secret"]}
        status, answer = await project.client.ask("auth", "POST", "/account/sessions/token", project.headers, body)
        # 401: used up by a call whose answer was lost, or made where another time is than where it is used
        assert status in {201, 401} | NO_ANSWERS, (status, answer)
        assert time.monotonic() < deadline, (status, answer)
        made += status == 201
    status = await delete_by_key(one)
    assert status != 204, "the oldest session is still there"
    return 200 if status == 404 else status


async def block(one: Round) -> int:
    return await by_key(one, "auth", "PATCH", f"/users/{one.person.id}/status", {"status": False})


async def block_oneself(one: Round) -> int:
    status = await by_session(one, "PATCH", "/account/status")
    # 403: blocked by the call before, whose answer was lost or said that it was not confirmed; so confirm it by a key
    return await block(one) if status == 403 else status


async def delete_user(one: Round) -> int:
    return await by_key(one, "auth", "DELETE", f"/users/{one.person.id}")


async def make_user_again(one: Round) -> None:
    await one.person.project.good("auth", "POST", "/users", 201, {"userId": one.person.id}, or_else=409)


async def revoke_jwt(one: Round) -> int:
    return await by_key(one, "token", "POST", "/jwts/revoke", {"token": one.jwt})


# roles


async def label(person: Person) -> Grant:
    await person.project.good("auth", "PUT", f"/users/{person.id}/labels", 200, {"labels": [f"reader{person.id}"]})
    return Grant()


async def unlabel(one: Round) -> int:
    return await by_key(one, "auth", "PUT", f"/users/{one.person.id}/labels", {"labels": []})


async def verify(person: Person) -> Grant:
    body = {"emailVerification": True}
    await person.project.good("auth", "PATCH", f"/users/{person.id}/verification", 200, body)
    return Grant(row=await person.project.row(for_role(f"user:{person.id}/verified")))


async def unverify(one: Round) -> int:
    return await by_key(one, "auth", "PATCH", f"/users/{one.person.id}/verification", {"emailVerification": False})


async def change_address(one: Round) -> int:
    """A new address is not a verified one."""
    body = {"email": f"{secrets.token_hex(8)}@example.org"}
    return await by_key(one, "auth", "PATCH", f"/users/{one.person.id}/email", body)


async def join_team(person: Person) -> Grant:
    """A team of one, a membership with a role, and a row for that role."""
    good = person.project.good
    team = (await good("auth", "POST", "/teams", 201, {"teamId": "unique()", "name": "Readers"}))["$id"]
    body, path = {"userId": person.id, "roles": ["reader"]}, f"/teams/{team}/memberships"
    await good("auth", "POST", path, 201, body, or_else=409)  # 409: made by the call before, that was not confirmed
    member = (await good("auth", "GET", path, 200))["memberships"][0]["$id"]
    return Grant(id=team, member=member, row=await person.project.row(for_role(f"team:{team}/reader")))


async def take_membership(one: Round) -> int:
    return await by_key(one, "auth", "DELETE", f"/teams/{one.grant.id}/memberships/{one.grant.member}")


async def leave_team(one: Round) -> int:
    return await by_session(one, "DELETE", f"/teams/{one.grant.id}/memberships/{one.grant.member}")


async def take_team_role(one: Round) -> int:
    path = f"/teams/{one.grant.id}/memberships/{one.grant.member}"
    return await by_key(one, "auth", "PATCH", path, {"roles": ["guest"]})


async def delete_team(one: Round) -> int:
    return await by_key(one, "auth", "DELETE", f"/teams/{one.grant.id}")


async def make_team_again(one: Round) -> None:
    body = {"teamId": one.grant.id, "name": "Readers"}
    await one.person.project.good("auth", "POST", "/teams", 201, body, or_else=409)


# permissions and switches of what data keeps


async def own_row(person: Person) -> Grant:
    return Grant(row=await person.project.row(for_role(f"user:{person.id}")))


async def take_row(one: Round) -> int:
    return await by_key(one, "data", "PATCH", one.grant.row, {"permissions": []})


async def own_table(person: Person, tables: str = TABLES) -> Grant:
    """A table that the person may read and change, with a row that nobody owns."""
    id_ = secrets.token_hex(8)
    await person.project.table(tables, id_, for_role(f"user:{person.id}"))
    return Grant(id=id_, row=await person.project.row([], rows=f"{tables}/{id_}/rows"))


async def take_table(one: Round) -> int:
    return await by_key(one, "data", "PUT", f"{TABLES}/{one.grant.id}", {"name": "Notes", "permissions": []})


async def switch_table_off(one: Round) -> int:
    body = {"name": "Notes", "permissions": for_role(f"user:{one.person.id}"), "enabled": False}
    return await by_key(one, "data", "PUT", f"{TABLES}/{one.grant.id}", body)


async def own_database(person: Person) -> Grant:
    """A database with a table that the person may read and change, and a row in it."""
    id_ = secrets.token_hex(8)
    await person.project.database(id_)
    return Grant(id=id_, row=(await own_table(person, f"/tablesdb/{id_}/tables")).row)


async def switch_database_off(one: Round) -> int:
    return await by_key(one, "data", "PUT", f"/tablesdb/{one.grant.id}", {"name": "Promise", "enabled": False})


# keys


async def make_key(person: Person) -> Grant:
    id_, secret = await person.project.client.cluster.make_key("rows.read", "rows.write")
    return Grant(id=id_, secret=secret)


async def delete_key(one: Round) -> int:
    return await by_key(one, "auth", "DELETE", f"/project/keys/{one.grant.id}")


async def take_scopes(one: Round) -> int:
    body = {"name": "of a round", "scopes": ["users.read"]}
    return await by_key(one, "auth", "PUT", f"/project/keys/{one.grant.id}", body)


WAYS = [
    Way("session deleted by itself", delete_own, ALL, of_user),
    Way("all sessions deleted", delete_all_own, OF_USER, of_user, ends_person=True),
    Way("session deleted by a key", delete_by_key, ALL, of_user),
    Way("all sessions deleted by a key", delete_all_by_key, OF_USER, of_user, ends_person=True),
    Way("password changed by a key", change_password, OF_USER, of_user, ends_person=True),
    Way("signed in too often", sign_in_too_often, ALL, of_user, ends_person=True),
    Way("user blocked", block, OF_USER, of_user, ends_person=True),
    Way("user blocked by itself", block_oneself, OF_USER, of_user, ends_person=True),
    Way("user deleted", delete_user, OF_USER, of_user, ends_person=True),
    Way("user deleted by itself", delete_account, OF_USER, of_user, ends_person=True),
    Way("user deleted and made again", delete_user, OF_USER, of_user, again=make_user_again, ends_person=True),
    Way("JWT revoked", revoke_jwt, ("jwt",), of_user),
    Way("label taken", unlabel, OF_USER, of_label, label),
    Way("verification taken", unverify, OF_USER, of_grant, verify),
    Way("address changed", change_address, OF_USER, of_grant, verify, ends_person=True),
    Way("permission of a row taken", take_row, OF_USER, of_grant, own_row),
    Way("permission of a table taken", take_table, OF_USER, of_grant, own_table),
    Way("table switched off", switch_table_off, OF_USER, of_grant, own_table),
    Way("database switched off", switch_database_off, OF_USER, of_grant, own_database),
    Way("team left", leave_team, OF_USER, of_grant, join_team),
    Way("membership taken", take_membership, OF_USER, of_grant, join_team),
    Way("role in a team taken", take_team_role, OF_USER, of_grant, join_team),
    Way("team deleted", delete_team, OF_USER, of_grant, join_team),
    Way("team deleted and made again", delete_team, OF_USER, of_grant, join_team, again=make_team_again),
    Way("key deleted", delete_key, ("key",), of_key, make_key),
    Way("scopes taken from a key", take_scopes, ("key",), of_key, make_key),
]
