"""Users, sessions, teams and lists, as tests of auth need them."""

import asyncio
import itertools
import json
from urllib.parse import urlencode

import asyncpg

from shared.contracts.credentials import SessionSecret
from tests.answer import Answer
from tests.integration.auth.conftest import MOMENT_S, PASSWORD, PROJECT, Caller, World

NAMES = map("teams{}@example.org".format, itertools.count())


async def sign_in(caller: Caller, email: object, password: str = PASSWORD) -> tuple[int, str]:
    answer = await caller.call("POST", "/account/sessions/email", email=email, password=password)
    return answer.status, answer.json.get("type", "")


async def a_user(world: World) -> tuple[str, Caller]:
    user = await world.sign_up(next(NAMES))
    return user, await world.session(user)


async def roles_of(world: World, caller: Caller) -> tuple[str, ...]:
    """Return the roles that a guard sees."""
    if jwt := caller.headers.get("X-Appwrite-JWT"):
        principal = await world.guard.jwt(PROJECT, jwt)
    else:
        secret = SessionSecret.parse(caller.headers["X-Appwrite-Session"])
        assert secret is not None
        principal = await world.guard.session(PROJECT, secret)
    assert principal is not None
    return principal.roles


async def a_team(caller: Caller, **more: object) -> str:
    made = await caller.call("POST", "/teams", **{"teamId": "unique()", "name": "Team"} | more)
    assert made.status == 201, made.json
    return str(made.json["$id"])


async def join(world: World, team: str, user: str, *roles: str) -> Answer:
    return await world.key.call("POST", f"/teams/{team}/memberships", userId=user, roles=list(roles))


async def listed(caller: Caller, path: str, *queries: object, **more: str) -> Answer:
    asked = [(f"queries[{place}]", json.dumps(query)) for place, query in enumerate(queries)]
    return await caller.call("GET", f"{path}?{urlencode([*asked, *more.items()])}")


async def waits(call: "asyncio.Task[Answer]") -> bool:
    done, _ = await asyncio.wait({call}, timeout=MOMENT_S)
    return not done


async def blocked_by(connection: asyncpg.Connection) -> int:
    """Return how many wait for what this connection holds."""
    count: int = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    return count
