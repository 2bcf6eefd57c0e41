"""No id brings back what died: users, teams and projects that are deleted and made again are others."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec

from services.auth.people.domain.records import Client, NewUser
from services.auth.people.operations import sign_in, tokens, users
from services.auth.projects.domain.projects import ProjectChange
from services.auth.projects.operations import projects
from services.auth.revocations.store.endings import end_all_of_instance
from services.auth.teams.operations import invite, teams
from shared.contracts.administration import CreateKey, CreateProject, DeleteProject
from shared.contracts.credentials import SessionSecret
from shared.contracts.principal import Kind, Principal
from tests.answer import Answer
from tests.eventually import eventually
from tests.integration.auth.conftest import PASSWORD, PROJECT, World, open_world
from tests.parts import Database, Parts


@contextlib.asynccontextmanager
async def stalled(world: World) -> AsyncIterator[None]:
    """Let every change that is told in the feed wait, just before it would be told, until this ends."""
    connection = await asyncpg.connect(world.database.dsn("auth"))
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE feed.outbox IN SHARE MODE")
            yield
    finally:
        await connection.close()


async def waiting(world: World, what: str, number: int = 1) -> None:
    """Wait until so many statements of this kind wait for a lock."""
    connection = await asyncpg.connect(world.database.dsn("auth"))

    async def count() -> bool:
        found: int = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ILIKE $1",
            f"%{what}%",
        )
        return found >= number

    try:
        await eventually(count, True)
    finally:
        await connection.close()


async def make(world: World, user: str, **more: object) -> None:
    made = await world.key.call("POST", "/users", userId=user, **more)
    assert made.status == 201, made.json


async def beside_the_deletion_of(world: World, user: str, method: str, path: str, **body: object) -> Answer:
    """Delete a user, and call while that is under way: after its statements, and before it is told and committed."""
    async with stalled(world):
        deletion = asyncio.create_task(world.key.call("DELETE", f"/users/{user}"))
        await waiting(world, "INSERT INTO feed.outbox")
        beside = asyncio.create_task(world.key.call(method, path, **body))
        done, _ = await asyncio.wait([beside], timeout=0.3)
        if not done:
            await waiting(world, "auth.", 1)
    answer = await beside
    assert (await deletion).status == 204
    return answer


async def test_a_jwt_of_a_deleted_user_is_not_good_for_who_has_the_id_next(world: World) -> None:
    await make(world, "phoenix")
    token = (await world.key.call("POST", "/users/phoenix/jwts")).json["jwt"]
    assert (await world.key.call("DELETE", "/users/phoenix")).status == 204
    await make(world, "phoenix")

    answer = await world.guest.with_(X_Appwrite_JWT=token).call("GET", "/account")

    assert answer.status == 401


async def test_a_session_made_while_its_user_is_deleted_is_none_of_the_next_user(world: World) -> None:
    await make(world, "phoenix-2")

    answer = await beside_the_deletion_of(world, "phoenix-2", "POST", "/users/phoenix-2/sessions")

    assert answer.error == (404, "user_not_found")
    await make(world, "phoenix-2")
    assert (await world.key.call("GET", "/users/phoenix-2/sessions")).json["total"] == 0


async def test_a_login_token_made_while_its_user_is_deleted_is_refused(world: World) -> None:
    await make(world, "phoenix-3")

    answer = await beside_the_deletion_of(world, "phoenix-3", "POST", "/users/phoenix-3/tokens")

    assert answer.error == (404, "user_not_found")


async def test_a_member_made_while_the_user_is_deleted_is_refused(world: World) -> None:
    await make(world, "phoenix-4")
    assert (await world.key.call("POST", "/teams", teamId="choir", name="Choir")).status == 201

    member = {"roles": [], "userId": "phoenix-4"}
    answer = await beside_the_deletion_of(world, "phoenix-4", "POST", "/teams/choir/memberships", **member)

    assert answer.error == (404, "user_not_found")


async def test_a_sign_in_while_the_user_is_deleted_is_refused(world: World) -> None:
    await make(world, "phoenix-5", email="phoenix5@example.org", password=PASSWORD)
    credentials: dict[str, Any] = {"email": "phoenix5@example.org", "password": PASSWORD}

    answer = await beside_the_deletion_of(world, "phoenix-5", "POST", "/account/sessions/email", **credentials)

    assert answer.error == (401, "user_invalid_credentials")


async def test_a_jwt_made_while_its_user_is_deleted_is_none_of_the_next_user(world: World) -> None:
    await make(world, "phoenix-6")

    answer = await beside_the_deletion_of(world, "phoenix-6", "POST", "/users/phoenix-6/jwts")

    assert answer.status == 201  # the deletion is not committed yet: its user is there
    await make(world, "phoenix-6")
    dead = world.guest.with_(X_Appwrite_JWT=answer.json["jwt"])
    assert (await dead.call("GET", "/account")).status == 401


async def test_a_login_token_is_not_good_for_who_has_the_id_next(world: World) -> None:
    await make(world, "phoenix-7")
    secret = (await world.key.call("POST", "/users/phoenix-7/tokens")).json["secret"]
    assert (await world.key.call("DELETE", "/users/phoenix-7")).status == 204
    await make(world, "phoenix-7")

    answer = await world.guest.call("POST", "/account/sessions/token", userId="phoenix-7", secret=secret)

    assert answer.error == (401, "user_invalid_token")


async def test_a_creation_while_its_project_is_deleted_is_refused(world: World) -> None:
    await world.bus.ask(CreateProject(id="attic", name="Attic"), timeout_s=15)
    request, secret = CreateKey.new(project_id="attic", name="all")
    await world.bus.ask(request, timeout_s=15)
    attic = world.guest.with_(X_Appwrite_Project="attic", X_Appwrite_Key=secret)
    assert (await attic.call("GET", "/users")).status == 200
    calls: list[tuple[str, dict[str, object]]] = [
        ("/users", {"userId": "unique()"}),
        ("/teams", {"teamId": "unique()", "name": "Team"}),
        ("/project/platforms/web", {"platformId": "unique()", "name": "Web", "hostname": "example.org"}),
    ]
    async with stalled(world):
        deletion = asyncio.create_task(world.bus.ask(DeleteProject(id="attic"), timeout_s=15))
        await waiting(world, "INSERT INTO feed.outbox")
        beside = [asyncio.create_task(attic.call("POST", path, **body)) for path, body in calls]
        await waiting(world, "auth.", len(calls))
    await deletion
    assert [(await call).error for call in beside] == [(404, "project_not_found")] * len(calls)


async def sign_up(world: World, user: str) -> Answer:
    """Sign up as a client does, with an id of its choice."""
    return await world.guest.call("POST", "/account", userId=user, email=f"{user}@example.org", password=PASSWORD)


async def test_a_sign_up_with_the_id_of_a_deleted_user_is_refused(world: World) -> None:
    assert (await sign_up(world, "spent")).status == 201
    assert (await world.key.call("DELETE", "/users/spent")).status == 204

    assert (await sign_up(world, "spent")).error == (409, "user_already_exists")

    await make(world, "spent")
    assert (await world.key.call("DELETE", "/users/spent")).status == 204
    assert (await sign_up(world, "spent")).error == (409, "user_already_exists")


async def test_a_sign_up_with_the_id_of_a_user_who_is_being_deleted_is_refused(world: World) -> None:
    await make(world, "spent-2")
    async with stalled(world):
        deletion = asyncio.create_task(world.key.call("DELETE", "/users/spent-2"))
        await waiting(world, "feed.outbox")
        beside = asyncio.create_task(sign_up(world, "spent-2"))
        await asyncio.wait([beside], timeout=0.3)
    await deletion

    answer = await beside
    assert answer.error == (409, "user_already_exists")


async def test_a_team_with_the_id_of_a_deleted_one_cannot_be_created(world: World) -> None:
    session = await world.session(await world.sign_up("founder@example.org"))
    assert (await session.call("POST", "/teams", teamId="board", name="Board")).status == 201
    assert (await session.call("DELETE", "/teams/board")).status == 204

    again = await session.call("POST", "/teams", teamId="board", name="Board")

    assert again.error == (409, "team_already_exists")
    assert (await world.key.call("POST", "/teams", teamId="board", name="Board")).status == 201


async def test_a_team_that_permissions_name_already_cannot_be_created(world: World) -> None:
    session = await world.session(await world.sign_up("founder-2@example.org"))
    world.named.add("admins")

    refused = await session.call("POST", "/teams", teamId="admins", name="Admins")

    assert refused.error == (409, "team_already_exists")
    assert (await session.call("POST", "/teams", teamId="unique()", name="Others")).status == 201
    assert (await world.key.call("POST", "/teams", teamId="admins", name="Admins")).status == 201


async def test_a_team_that_permissions_of_files_name_already_cannot_be_created(world: World) -> None:
    session = await world.session(await world.sign_up("founder-4@example.org"))
    world.named_in_files.add("editors")

    refused = await session.call("POST", "/teams", teamId="editors", name="Editors")

    assert refused.error == (409, "team_already_exists")


async def test_a_team_with_a_chosen_id_cannot_be_created_without_data(database: Database, parts: Parts) -> None:
    async with (
        parts.valkey() as valkey,
        open_world(database, valkey, rate_limits=False, has_data=False) as world,
    ):
        session = await world.session(await world.sign_up("founder-3@example.org"))

        refused = await session.call("POST", "/teams", teamId="crew", name="Crew")

        assert refused.status == 503
        assert (await session.call("POST", "/teams", teamId="unique()", name="Crew")).status == 201


async def test_the_next_project_of_an_id_has_all_ids_to_give(world: World) -> None:
    for _ in range(2):
        await world.bus.ask(CreateProject(id="loft", name="Loft"), timeout_s=15)
        request, secret = CreateKey.new(project_id="loft", name="all")
        await world.bus.ask(request, timeout_s=15)
        guest = world.guest.with_(X_Appwrite_Project="loft")
        ada = {"userId": "ada", "email": "ada@example.org", "password": PASSWORD}
        assert (await guest.call("POST", "/account", **ada)).status == 201
        assert (await guest.with_(X_Appwrite_Key=secret).call("DELETE", "/users/ada")).status == 204
        assert (await guest.call("POST", "/account", **ada)).error == (409, "user_already_exists")
        await world.bus.ask(DeleteProject(id="loft"), timeout_s=15)


async def test_a_late_call_by_a_key_of_the_former_project_is_refused(world: World) -> None:
    """It was looked up while that project was there, and comes to the database when the next one is."""
    project = await world.guard.project(PROJECT)
    assert (await world.key.call("POST", "/teams", teamId="band", name="Band")).status == 201
    former = msgspec.structs.replace(project, incarnation=project.incarnation - 1)
    key = Principal(project_id=PROJECT, kind=Kind.KEY, key_id="former", project_incarnation=former.incarnation)
    _, deps = world.services[0].parts[0]
    member = invite.Invitee(user_id=await world.sign_up("late@example.org"))
    late = [
        users.create_user(deps, former, new=NewUser(id="late")),
        sign_in.create_user_session(deps, former, user_id=member.user_id, client=Client()),
        tokens.create_token(deps, former, user_id=member.user_id, length=32, expire_s=60),
        teams.create_team(deps, key, team_id="late", name="Late", roles=[]),
        teams.update_name(deps, key, team_id="band", name="Late"),
        projects.update_project(deps, key, project_change=ProjectChange(name="Late")),
    ]

    outcomes = [await asyncio.gather(one, return_exceptions=True) for one in late]

    assert [getattr(outcome, "type", outcome) for [outcome] in outcomes] == ["project_not_found"] * len(late)


async def test_a_restored_database_gives_no_incarnation_that_it_may_have_given(world: World) -> None:
    async def incarnation() -> int:
        """That of a user who is made now."""
        user = await world.guard.session(PROJECT, await secret_of(world))
        assert user is not None
        return user.incarnation

    before = await incarnation()
    connection = await asyncpg.connect(world.database.dsn("auth"))
    await end_all_of_instance(connection)
    await connection.close()

    assert await incarnation() > before + 1_000_000


async def secret_of(world: World) -> SessionSecret:
    """The session of a new user."""
    made = await world.key.call("POST", "/users", userId="unique()")
    session = await world.key.call("POST", f"/users/{made.json['$id']}/sessions")
    secret = SessionSecret.parse(session.json["secret"])
    assert secret is not None
    return secret
