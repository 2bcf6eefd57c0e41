"""What the project does not show of members changes no answer but those of themselves, and of keys that read users."""

import itertools
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.administration import UpdateProject
from tests.integration.auth.conftest import PROJECT, Caller, World, open_world
from tests.integration.auth.people import a_team, a_user, join, listed
from tests.parts import Parts

URL = "http://localhost/welcome"
HIDDEN = ("userId", "userName", "userEmail", "userPhone", "userAccessedAt")
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
async def world(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One in which users can invite others."""
    folder: Path = tmp_path_factory.mktemp("parts") / "invitations"
    database = await parts.new_database()
    async with (
        parts.valkey() as valkey,
        open_world(database, valkey, rate_limits=False, invitations_dir=str(folder)) as world,
    ):
        yield world


@dataclass
class Club:
    """A team with an owner, a member, and another whose membership stays while its user changes."""

    world: World = field(repr=False)
    team: str
    callers: dict[str, Caller] = field(repr=False)
    own: dict[str, str]
    others: list[str]
    membership: str = "membership-of-another"
    turn: int = 0

    @property
    def path(self) -> str:
        return f"/teams/{self.team}/memberships"

    async def change(self) -> None:
        """Put another user in the place of the other member, with another name, address and number."""
        await self.world.key.call("DELETE", f"{self.path}/{self.membership}")
        self.turn = 1 - self.turn
        body = {"userId": self.others[self.turn], "roles": ["player"], "membershipId": self.membership}
        assert (await self.world.key.call("POST", self.path, **body)).status == 201


def query(method: str, attribute: str, *values: object) -> dict[str, object]:
    return {"method": method, "attribute": attribute, "values": list(values)}


@pytest.fixture(scope="module")
async def club(world: World) -> Club:
    (_, owning), (member, belonging) = await a_user(world), await a_user(world)
    team = await a_team(owning)
    own = {"member": str((await join(world, team, member, "player")).json["$id"])}
    key, _ = await world.key_with("teams.read", "teams.write")
    others = []
    for name, phone in (("Grace", "+4930110001"), ("Alan", "+4930110002")):
        body = {"userId": f"{name.lower()}-1", "name": name, "phone": phone, "email": f"{name}@example.org"}
        assert (await world.key.call("POST", "/users", **body)).status == 201
        others.append(body["userId"])
    club = Club(world, team, {"owner": owning, "member": belonging, "key": key}, own, others)
    await club.change()
    return club


def masked(answer: Any) -> tuple[int, str]:
    """Return an answer but for dates: when a membership began is shown to all members."""
    return answer.status, re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+", "DATE", json.dumps(answer.json))


CALLERS = pytest.mark.parametrize("caller", ["owner", "member", "key"])


@CALLERS
async def test_a_membership_tells_of_its_user_only_what_the_project_shows(club: Club, caller: str) -> None:
    by = club.callers[caller]
    one = (await by.call("GET", f"{club.path}/{club.membership}")).json
    same = [one for one in (await by.call("GET", club.path)).json["memberships"] if one["$id"] == club.membership]

    assert same == [one]
    assert [one[name] for name in HIDDEN] == [""] * 5
    assert (one["roles"], one["confirm"]) == (["player"], True)


async def test_members_see_all_of_their_own_membership(club: Club) -> None:
    path = f"{club.path}/{club.own['member']}"
    own = (await club.callers["member"].call("GET", path)).json
    by_owner = (await club.callers["owner"].call("GET", path)).json

    assert (own["userName"], own["userEmail"].endswith("@example.org"), bool(own["userId"])) == ("Ada", True, True)
    assert [by_owner[name] for name in HIDDEN] == [""] * 5
    whole = (await club.world.key.call("GET", path)).json
    assert whole == own


@pytest.mark.parametrize("by", ["userId", "email", "phone"])
async def test_an_invitation_tells_nothing_of_the_invited(world: World, by: str) -> None:
    """Nothing but what its owner sent with it, and that to the owner alone, once."""
    number = f"+493012{next(NUMBERS):04}"
    body = {"userId": f"invited-{number[1:]}", "name": "Grace", "phone": number, "email": f"g{number[1:]}@example.org"}
    assert (await world.key.call("POST", "/users", **body)).status == 201
    _, owner = await a_user(world)
    path = f"/teams/{await a_team(owner)}/memberships"

    made = await owner.call("POST", path, roles=["x"], url=URL, **{by: body[by]})
    seen = await owner.call("GET", f"{path}/{made.json['$id']}")
    assert (made.status, seen.status) == (201, 200)
    told = {made.json[name] for name in HIDDEN if name != "userId" or by == "userId"}
    assert told == ({""} if by == "userId" else {"", body[by]})
    assert made.json["userId"] != body["userId"]
    assert [seen.json[name] for name in HIDDEN] == [""] * 5


@pytest.mark.parametrize("caller", ["owner", "key"])
async def test_an_owner_who_changes_roles_learns_nothing_of_the_member(club: Club, caller: str) -> None:
    changed = await club.callers[caller].call("PATCH", f"{club.path}/{club.membership}", roles=["player"])

    assert (changed.status, changed.json["roles"]) == (200, ["player"])
    assert [changed.json[name] for name in HIDDEN] == [""] * 5


@CALLERS
async def test_a_field_that_is_not_shown_cannot_be_queried(club: Club, caller: str) -> None:
    by, user = club.callers[caller], club.others[club.turn]

    for asked in (
        query("equal", "userId", user),
        query("startsWith", "userId", user[:2]),
        query("orderAsc", "userId"),
        query("or", "", query("equal", "userId", user), query("equal", "confirm", True)),
    ):
        assert (await listed(by, club.path, asked)).error == (400, "general_argument_invalid")
    assert (await listed(by, club.path, search=user)).json["total"] == 0
    assert (await listed(by, club.path, search=club.membership)).json["total"] == 1
    assert (await listed(club.world.key, club.path, query("equal", "userId", user))).json["total"] == 1
    assert (await listed(club.world.key, club.path, search=user)).json["total"] == 1


async def test_a_field_that_the_project_shows_can_be_queried(club: Club) -> None:
    user, owner = club.others[club.turn], club.callers["owner"]
    await club.world.bus.ask(UpdateProject(id=PROJECT, membership_fields={"userId": True}), timeout_s=15)
    try:
        assert (await listed(owner, club.path, query("equal", "userId", user))).json["total"] == 1
        assert (await listed(owner, club.path, search=user)).json["memberships"][0]["userId"] == user
    finally:
        await club.world.bus.ask(UpdateProject(id=PROJECT, membership_fields={"userId": False}), timeout_s=15)


async def test_an_invitation_by_id_does_not_tell_whether_an_address_is_right(world: World) -> None:
    _, owner = await a_user(world)
    user = await world.sign_up("right@example.org")

    for address in ("right@example.org", "wrong@example.org"):
        body = {"userId": user, "email": address, "roles": [], "url": URL}
        assert (await owner.call("POST", f"/teams/{await a_team(owner)}/memberships", **body)).status == 201
        if address.startswith("wrong"):
            refused = await world.key.call("POST", f"/teams/{await a_team(owner)}/memberships", **body)
            assert refused.error == (409, "user_already_exists")


TEXTS = ["grace-1", "alan-1", "gr", "a", "Grace", "alan@example.org", "4930110001", "membership-of", "owner", "player"]
ATTRIBUTES = ["userId", "userName", "userEmail", "userPhone", "$id", "roles", "teamId", "name", "total", "$sequence"]
FILTER = st.builds(
    query,
    st.sampled_from(["equal", "notEqual", "contains", "startsWith", "endsWith", "lessThan", "between", "isNull"]),
    st.sampled_from(ATTRIBUTES),
    st.sampled_from(TEXTS),
)
ORDER = st.builds(query, st.sampled_from(["orderAsc", "orderDesc"]), st.sampled_from(ATTRIBUTES))
CURSOR = st.builds(
    query,
    st.sampled_from(["cursorAfter", "cursorBefore"]),
    st.just(""),
    st.sampled_from(["membership-of-another", "grace-1", "alan-1", "nothing", "elsewhere"]),
)
QUERIES = st.lists(st.one_of(FILTER, ORDER, CURSOR), max_size=3)
ASKED = st.tuples(
    st.sampled_from(["owner", "member", "key"]),
    st.sampled_from(["memberships", "membership", "roles", "teams", "team", "of another team"]),
    QUERIES,
    st.sampled_from(["", *TEXTS]),
)


async def answer(club: Club, asked: Any) -> tuple[int, str]:
    caller, what, queries, search = asked
    by, more = club.callers[caller], {"search": search} if search else {}
    match what:
        case "memberships":
            return masked(await listed(by, club.path, *queries, **more))
        case "teams" if caller != "key":
            return masked(await listed(by, "/teams", *queries, **more))
        case "membership":
            return masked(await by.call("GET", f"{club.path}/{club.membership}"))
        case "roles":
            return masked(await by.call("PATCH", f"{club.path}/{club.membership}", roles=["player"]))
        case "of another team" if caller != "key":
            return masked(await listed(by, "/teams/elsewhere/memberships", *queries, **more))
    return masked(await by.call("GET", f"/teams/{club.team}"))


@given(asked=st.lists(ASKED, min_size=4, max_size=8))
@settings(max_examples=30, deadline=None)
async def test_no_answer_changes_by_what_members_are_not_shown(club: Club, asked: list[Any]) -> None:
    """Another user takes the place of a member, and teams come and go of which the callers are no members."""
    key = club.world.key
    before = [await answer(club, one) for one in asked]

    await club.change()
    made = await key.call("POST", "/teams", teamId="elsewhere", name="player")
    if made.status == 409:
        assert (await key.call("DELETE", "/teams/elsewhere")).status == 204

    assert [await answer(club, one) for one in asked] == before
