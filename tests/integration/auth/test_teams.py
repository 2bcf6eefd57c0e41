"""Teams, by keys and by users."""

import pytest

from tests.integration.auth.conftest import World
from tests.integration.auth.people import NAMES, a_team, a_user, join, listed, roles_of


@pytest.mark.check("identity 71")
async def test_a_user_who_creates_a_team_owns_it_at_once(world: World) -> None:
    user, session = await a_user(world)
    jwt = await world.jwt(session)
    assert (await jwt.call("GET", "/account")).status == 200  # remembered, and without any team
    made = await session.call("POST", "/teams", teamId="unique()", name="Players", roles=["player"])

    assert (made.status, made.json["total"], made.json["prefs"]) == (201, 1, {})
    assert made.headers["Daypass-Receipt"].startswith("n=")
    team = made.json["$id"]
    members = (await world.key.call("GET", f"/teams/{team}/memberships")).json
    assert members["total"] == 1
    member = members["memberships"][0]
    assert (sorted(member["roles"]), member["confirm"], member["userId"]) == (["owner", "player"], True, user)
    for caller in (session, jwt):
        assert {f"team:{team}", f"team:{team}/owner", f"team:{team}/player", f"member:{member['$id']}"} <= set(
            await roles_of(world, caller)
        )
        assert (await caller.call("GET", f"/teams/{team}")).json["name"] == "Players"


@pytest.mark.check("identity 72")
async def test_a_team_of_a_key_is_empty(world: World) -> None:
    made = await world.key.call("POST", "/teams", teamId="unique()", name="Empty", roles=["player"])

    assert (made.status, made.json["total"]) == (201, 0)
    members = await world.key.call("GET", f"/teams/{made.json['$id']}/memberships")
    assert members.json == {"total": 0, "memberships": []}


@pytest.mark.check("identity 73")
async def test_an_id_is_of_one_team(world: World) -> None:
    team = await a_team(world.key)
    _, session = await a_user(world)

    for caller in (world.key, session):
        again = await caller.call("POST", "/teams", teamId=team, name="Another")
        assert again.error == (409, "team_already_exists")


async def test_others_see_no_team(world: World) -> None:
    _, owner = await a_user(world)
    _, stranger = await a_user(world)
    team = await a_team(owner)

    for path in ("", "/prefs", "/memberships"):
        assert (await stranger.call("GET", f"/teams/{team}{path}")).error == (404, "team_not_found"), path
        assert (await world.guest.call("GET", f"/teams/{team}{path}")).error == (401, "general_unauthorized_scope")
        assert (await world.key.call("GET", f"/teams/nothing{path}")).error == (404, "team_not_found")
    assert (await stranger.call("GET", "/teams")).json == {"total": 0, "teams": []}
    assert [one["$id"] for one in (await owner.call("GET", "/teams")).json["teams"]] == [team]
    changes: tuple[tuple[str, str, dict[str, object]], ...] = (
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", {}),
        ("PUT", "/prefs", {"prefs": {}}),
    )
    for method, path, body in changes:
        assert (await stranger.call(method, f"/teams/{team}{path}", **body)).error == (404, "team_not_found")
        assert (await world.key.call(method, f"/teams/nothing{path}", **body)).error == (404, "team_not_found")


@pytest.mark.check("identity 83")
async def test_only_owners_and_keys_change_a_team(world: World) -> None:
    _, owner = await a_user(world)
    user, member = await a_user(world)
    team = await a_team(owner)
    assert (await join(world, team, user, "player")).status == 201

    for path, body in (("", {"name": "New"}), ("/prefs", {"prefs": {"b": 1, "a": 1.50}})):
        refused = await member.call("PUT", f"/teams/{team}{path}", **body)
        assert refused.error == (401, "user_unauthorized")
        for caller in (owner, world.key):
            assert (await caller.call("PUT", f"/teams/{team}{path}", **body)).status == 200
    assert (await member.call("DELETE", f"/teams/{team}")).error == (401, "user_unauthorized")
    assert (await member.call("GET", f"/teams/{team}")).json["name"] == "New"
    assert (await member.call("GET", f"/teams/{team}/prefs")).json == {"b": 1, "a": 1.5}


async def test_prefs_are_an_object_of_a_size(world: World) -> None:
    team = await a_team(world.key)

    for prefs in ("{}", [1], {"long": "x" * 70_000}):
        answer = await world.key.call("PUT", f"/teams/{team}/prefs", prefs=prefs)
        assert answer.error == (400, "general_argument_invalid")
    assert (await world.key.call("GET", f"/teams/{team}/prefs")).json == {}


@pytest.mark.parametrize(
    "body",
    [
        {"teamId": "_x", "name": "x"},
        {"teamId": "x"},
        {"teamId": "x", "name": ""},
        {"teamId": "x", "name": "n" * 129},
        {"teamId": "x", "name": "x", "roles": ["a b"]},
        {"teamId": "x", "name": "x", "roles": ["r" * 82]},
        {"teamId": "x", "name": "x", "roles": [f"r{number}" for number in range(101)]},
    ],
)
async def test_a_team_needs_an_id_a_name_and_good_roles(world: World, body: dict[str, object]) -> None:
    assert (await world.key.call("POST", "/teams", **body)).error == (400, "general_argument_invalid")


async def test_a_deleted_team_is_gone_with_its_roles(world: World) -> None:
    _, owner = await a_user(world)
    user, member = await a_user(world)
    team = await a_team(owner)
    await join(world, team, user, "player")
    jwt = await world.jwt(member)
    assert f"team:{team}/player" in await roles_of(world, jwt)
    deleted = await owner.call("DELETE", f"/teams/{team}")

    assert deleted.status == 204
    assert deleted.headers["Daypass-Receipt"].startswith("n=")
    assert not any(team in role for role in await roles_of(world, jwt))
    for caller in (owner, world.key):
        assert (await caller.call("DELETE", f"/teams/{team}")).error == (404, "team_not_found")
        assert (await caller.call("GET", f"/teams/{team}")).error == (404, "team_not_found")


async def test_teams_are_listed_page_by_page(world: World) -> None:
    mark = f"list{next(NAMES).partition('@')[0]}"
    teams = [await a_team(world.key, name=f"{mark} {name}") for name in ("b", "a", "c")]
    user, _ = await a_user(world)
    await join(world, teams[2], user, "x")
    mine = {"method": "startsWith", "attribute": "name", "values": [mark]}
    by_name = {"method": "orderAsc", "attribute": "name"}

    async def matching(*queries: object, **more: str) -> tuple[int, list[int]] | tuple[int, str]:
        answer = await listed(world.key, "/teams", *queries, **more)
        if answer.status != 200:
            return answer.error
        return answer.json["total"], [teams.index(team["$id"]) for team in answer.json["teams"]]

    def query(method: str, *values: object, attribute: str = "") -> dict[str, object]:
        return {"method": method, "attribute": attribute, "values": list(values)}

    assert await matching(mine) == (3, [0, 1, 2])
    assert await matching(mine, total="false") == (0, [0, 1, 2])
    assert await matching(mine, query("limit", 1), query("offset", 1)) == (3, [1])
    assert await matching(mine, by_name) == (3, [1, 0, 2])
    assert await matching(mine, by_name, query("cursorAfter", teams[1])) == (3, [0, 2])
    assert await matching(mine, by_name, query("cursorBefore", teams[2]), query("limit", 1)) == (3, [0])
    assert await matching(mine, query("orderDesc", attribute="name"), query("cursorAfter", teams[2])) == (3, [0, 1])
    assert await matching(mine, query("orderDesc", attribute="total")) == (3, [2, 0, 1])
    assert await matching(mine, query("greaterThan", 0, attribute="total")) == (1, [2])
    assert await matching(mine, query("notEqual", f"{mark} a", attribute="name")) == (2, [0, 2])
    assert await matching(
        mine, query("or", query("equal", teams[0], attribute="$id"), query("equal", 1, attribute="total"))
    )
    assert await matching(search=f"{mark.upper()} A") == (1, [1])
    assert await matching(search="nothing like that") == (0, [])
    assert await matching(mine, query("lessThan", "2001-01-01", attribute="$createdAt")) == (0, [])
    assert await matching(query("select", "name")) == (400, "general_argument_invalid")
    assert await matching(query("equal", "x", attribute="unknown")) == (400, "general_argument_invalid")
    assert await matching(query("equal", "1", attribute="total")) == (400, "general_argument_invalid")
    assert await matching(query("equal", "soon", attribute="$createdAt")) == (400, "general_argument_invalid")
    assert await matching(query("cursorAfter", "unknown")) == (400, "general_cursor_not_found")


async def test_a_page_after_a_team_that_is_not_ones_own_is_not_found(world: World) -> None:
    _, owner = await a_user(world)
    await a_team(owner)
    other = await a_team(world.key)

    answer = await listed(owner, "/teams", {"method": "cursorAfter", "values": [other]})
    assert answer.error == (400, "general_cursor_not_found")
