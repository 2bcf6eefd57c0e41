"""The query language on each list of auth."""

import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from services.auth.people.domain.users import USER_LIST_FIELDS
from services.auth.projects.domain.keys import KEY_LIST_FIELDS
from services.auth.projects.domain.projects import PLATFORM_LIST_FIELDS
from services.auth.teams.domain.teams import MEMBERSHIP_LIST_FIELDS, TEAM_LIST_FIELDS
from shared.queries import filters
from shared.queries.fields import Field, boolean, date, integer, text
from tests.answer import Answer
from tests.integration.auth.conftest import World

NUMBERS = itertools.count()
NAMES = map("lists{:04}@example.org".format, itertools.count())
LISTS = {
    "/users": USER_LIST_FIELDS,
    "/project/keys": KEY_LIST_FIELDS,
    "/project/platforms": PLATFORM_LIST_FIELDS,
    "/teams": TEAM_LIST_FIELDS,
    "/teams/{team}/memberships": MEMBERSHIP_LIST_FIELDS,
    "/users/{user}/memberships": MEMBERSHIP_LIST_FIELDS,
}
VALUES: dict[Any, list[object]] = {
    text: ["a", "b"],
    integer: [1, 2],
    boolean: [True, False],
    date: ["2024-01-01T00:00:00.000+00:00", "2025-01-01"],
}
AT_ONCE = 25

Json = dict[str, Any]


def query(method: str, attribute: str, *values: object) -> Json:
    return {"method": method, "attribute": attribute, "values": values}


def nested(depth: int, method: str) -> Json:
    inner = query("startsWith", "$id", "a")
    return inner if depth == 0 else query(method, "", nested(depth - 1, method), inner)


@pytest.fixture(params=sorted(LISTS))
async def path(request: pytest.FixtureRequest, world: World) -> str:
    """A list with something in it."""
    user = await world.sign_up(next(NAMES))
    team = (await world.key.call("POST", "/teams", teamId="unique()", name="a")).json["$id"]
    await world.key.call("POST", f"/teams/{team}/memberships", userId=user, roles=["a"])
    await world.key.call("POST", "/project/platforms/web", platformId="unique()", name="a")
    return str(request.param).format(user=user, team=team)


async def listed(world: World, path: str, *queries: Json) -> Answer:
    asked = [(f"queries[{place}]", json.dumps(one)) for place, one in enumerate(queries)]
    return await world.key.call("GET", f"{path}?{urlencode(asked)}")


@pytest.mark.parametrize("method", ["and", "or"])
async def test_logical_queries_nest_as_deep_as_eight(world: World, path: str, method: str) -> None:
    assert (await listed(world, path, nested(8, method))).status == 200
    refused = await listed(world, path, nested(9, method))
    assert refused.error == (400, "general_argument_invalid")
    assert "nested at most 8 deep" in refused.json["message"]


@pytest.mark.parametrize("method", ["and", "or"])
async def test_logical_queries_join_two_or_more(world: World, path: str, method: str) -> None:
    one = query("isNotNull", "$id")

    assert (await listed(world, path, query(method, "", one, one))).status == 200
    for few in ([], [one]):
        refused = await listed(world, path, query(method, "", *few))
        assert refused.error == (400, "general_argument_invalid")
        assert f"{method} needs at least two queries" in refused.json["message"]


def every_filter(field: Field) -> Iterator[Json]:
    """Each method that a field takes, with as many values as it may have."""
    values = VALUES[field.read]
    for method in [*filters.NUMBERS, *filters.SEVERAL, *filters.SAME, *filters.NEGATIONS]:
        positive = filters.NEGATIONS.get(method, filters.SAME.get(method, method))
        if positive == "search" or (positive == "containsAll" and not field.is_array):
            continue
        if field.is_array and positive not in filters.ON_ARRAY:
            continue
        if positive in filters.ON_TEXT and not field.is_text:
            continue
        for number in (1, 2) if positive in filters.SEVERAL else [filters.NUMBERS[positive]]:
            yield query(method, field.key, *values[:number])


async def test_each_field_of_a_list_is_filtered_and_ordered_by(world: World, path: str) -> None:
    """PostgreSQL takes each method on each field: the types fit."""
    fields = next(fields for name, fields in LISTS.items() if name.rpartition("/")[2] == path.rpartition("/")[2])
    queries = [one for field in fields.values() for one in every_filter(field)]

    for start in range(0, len(queries), AT_ONCE):
        some = queries[start : start + AT_ONCE]
        assert (await listed(world, path, query("or", "", *some, *some[:1]))).status == 200, some
    for key in fields:
        assert (await listed(world, path, query("orderDesc", key))).status == 200, key


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (query("equal", "secret", "x"), "Attribute not found in schema: secret"),
        (query("orderAsc", "secret"), "Attribute not found in schema: secret"),
        (query("regex", "$id", "x"), "Invalid query method: regex"),
        (query("equal", "$id"), "equal needs at least one value"),
        (query("between", "$id", "a"), "between needs 2 values"),
        (query("equal", "$id", 1), 'Query value is invalid for attribute "$id": it must be a string'),
        (query("equal", "$createdAt", "soon"), 'Query value is invalid for attribute "$createdAt": it must be a date'),
        (query("equal", "$createdAt", "2024-01-01+02:00"), "it must be a date"),
        (query("search", "$id", "x"), 'Searching by attribute "$id" requires a fulltext index'),
        (query("contains", "$createdAt", "2024-01-01"), "because it is not an array or string"),
        (query("limit", "", 0), "limit must be an integer of at least 1"),
        (query("cursorAfter", "", "_"), "the cursor must be a valid id"),
        (query("select", "", "$id"), "Invalid query method"),
        (query("orderRandom", ""), "Invalid query method"),
    ],
    ids=lambda one: one["method"] if isinstance(one, dict) else "",
)
async def test_a_wrong_query_is_refused_with_its_reason(world: World, wrong: Json, reason: str) -> None:
    refused = await listed(world, "/users", wrong)

    assert refused.error == (400, "general_argument_invalid")
    assert refused.json["message"].startswith("Invalid `queries` param: Invalid query")
    assert reason in refused.json["message"]


async def test_an_array_is_queried_by_its_elements(world: World) -> None:
    ids = [await world.sign_up(next(NAMES)) for _ in range(3)]
    for id_, labels in zip(ids, (["x", "y"], ["y"], []), strict=True):
        await world.key.call("PUT", f"/users/{id_}/labels", labels=labels)

    async def matching(*queries: Json) -> list[int]:
        users = (await listed(world, "/users", query("equal", "$id", *ids), *queries)).json["users"]
        return [ids.index(user["$id"]) for user in users]

    assert await matching(query("contains", "labels", "x")) == [0]
    assert await matching(query("containsAny", "labels", "x", "y")) == [0, 1]
    assert await matching(query("containsAll", "labels", "x", "y")) == [0]
    assert await matching(query("notContains", "labels", "x")) == [1, 2]
    refused = await listed(world, "/users", query("equal", "labels", "x"))
    assert 'Cannot query equal on attribute "labels" because it is an array.' in refused.json["message"]


async def test_the_first_limit_offset_and_cursor_count(world: World) -> None:
    ids = [await world.sign_up(next(NAMES)) for _ in range(3)]
    own = query("equal", "$id", *ids)

    async def matching(*queries: Json) -> list[int]:
        return [ids.index(user["$id"]) for user in (await listed(world, "/users", own, *queries)).json["users"]]

    assert await matching(query("limit", "", 2), query("limit", "", 1)) == [0, 1]
    assert await matching(query("offset", "", 1), query("offset", "", 2)) == [1, 2]
    assert await matching(query("cursorAfter", "", ids[1]), query("cursorAfter", "", ids[0])) == [2]


@pytest.mark.parametrize("number", [2**31, 2**53 - 1, 2**63 - 1])
async def test_a_limit_or_offset_beyond_any_list_is_no_error(world: World, path: str, number: int) -> None:
    limited = await listed(world, path, query("limit", "", number))
    beyond = await listed(world, path, query("offset", "", number))

    assert (limited.status, beyond.status) == (200, 200)
    assert next(one for one in limited.json.values() if isinstance(one, list))
    assert not next(one for one in beyond.json.values() if isinstance(one, list))


async def test_users_without_a_value_are_on_the_same_side_of_a_cursor_as_in_the_list(world: World) -> None:
    with_address = [await world.sign_up(next(NAMES)) for _ in range(3)]
    without = [(await world.key.call("POST", "/users", userId="unique()")).json["$id"] for _ in range(2)]
    mine = query("equal", "$id", *with_address, *without)

    async def ids(*queries: Json) -> list[str]:
        answer = await listed(world, "/users", mine, *queries)
        assert answer.status == 200, answer.json
        return [user["$id"] for user in answer.json["users"]]

    first, last = with_address[0], with_address[-1]
    ascending, descending = query("orderAsc", "email"), query("orderDesc", "email")
    assert await ids(ascending) == [*without, *with_address]
    assert await ids(descending) == [*reversed(with_address), *without]
    assert await ids(ascending, query("cursorAfter", "", first)) == with_address[1:]
    assert await ids(ascending, query("cursorBefore", "", first)) == without
    assert await ids(descending, query("cursorAfter", "", first)) == without
    assert await ids(descending, query("cursorBefore", "", last)) == []
    assert await ids(descending, query("cursorBefore", "", first)) == with_address[:0:-1]


@pytest.mark.parametrize("name", ["Élodie", "Анна", "ÖZIL", "ΑΘΗΝΑ", "ÑANDÚ", "Şükrü", "İstanbul", "E\u0301lan"])
async def test_a_name_is_searched_in_any_case_of_any_script(world: World, name: str) -> None:
    user = await world.sign_up(next(NAMES))
    await world.key.call("PATCH", f"/users/{user}/name", name=name)
    team = (await world.key.call("POST", "/teams", teamId="unique()", name=f"team {name}")).json["$id"]

    for search in {name, name.upper() if len(name.upper()) == len(name) else name}:
        users = await world.key.call("GET", f"/users?{urlencode({'search': search})}")
        teams = await world.key.call("GET", f"/teams?{urlencode({'search': search})}")
        assert user in [one["$id"] for one in users.json["users"]]
        assert team in [one["$id"] for one in teams.json["teams"]]


async def test_a_phrase_in_quotes_is_searched_by_its_words(world: World) -> None:
    number = next(NUMBERS)
    id_, email, phone = f"ada.{number}-lovelace", f"ada+{number}@example.org", f"+4915790{number:06}"
    await world.key.call("POST", "/users", userId=id_, email=email, phone=phone, name=f"Ada {number} King-Noël")

    async def is_found(search: str) -> bool:
        users = (await world.key.call("GET", f"/users?{urlencode({'search': search})}")).json["users"]
        return id_ in [user["$id"] for user in users]

    for phrase in (id_, email, phone, f"ada {number} king", f"ADA, {number} KING", "KING NOËL", f" {number} king "):
        assert await is_found(f'"{phrase}"'), phrase
    for phrase in (f"king {number}", f"da {number} king", f"ada {number} kin", "king noel", "", "."):
        assert not await is_found(f'"{phrase}"'), phrase
    assert await is_found(f"da {number} kin"), "without quotes it may begin and end within a word"
    assert not await is_found('"')


async def test_teams_and_memberships_are_searched_by_phrases(world: World) -> None:
    number = next(NUMBERS)
    user = await world.sign_up(next(NAMES))
    team = (await world.key.call("POST", "/teams", teamId=f"crew-{number}", name=f"The night {number} watch")).json[
        "$id"
    ]
    memberships = f"/teams/{team}/memberships"
    await world.key.call("POST", memberships, userId=user, roles=["a"], membershipId=f"member-{number}")

    async def total(path: str, search: str) -> float:
        return float((await world.key.call("GET", f"{path}?{urlencode({'search': search})}")).json["total"])

    assert await total("/teams", f'"{team}"') == await total("/teams", f'"night {number} watch"') == 1
    assert await total("/teams", f'"night {number} wat"') == 0
    for path in (memberships, f"/users/{user}/memberships"):
        assert await total(path, f'"member-{number}"') == await total(path, f'"{user}"') == 1
        assert await total(path, f'"ember-{number}"') == 0


async def test_memberships_are_filtered_by_the_roles_they_contain(world: World) -> None:
    team = (await world.key.call("POST", "/teams", teamId="unique()", name="roles")).json["$id"]
    users = [await world.sign_up(next(NAMES)) for _ in range(3)]
    for user, roles in zip(users, (["a", "b"], ["b"], []), strict=True):
        await world.key.call("POST", f"/teams/{team}/memberships", userId=user, roles=roles)

    async def found(path: str, *queries: Json) -> list[int]:
        answer = await listed(world, path, *queries)
        return [users.index(one["userId"]) for one in answer.json["memberships"]]

    of_team = f"/teams/{team}/memberships"
    assert await found(of_team, query("contains", "roles", "a")) == [0]
    assert await found(of_team, query("contains", "roles", "a", "b")) == [0, 1]
    assert await found(of_team, query("containsAll", "roles", "a", "b")) == [0]
    assert await found(of_team, query("notContains", "roles", "a")) == [1, 2]
    assert await found(f"/users/{users[1]}/memberships", query("contains", "roles", "b")) == [1]
    assert (await listed(world, of_team, query("equal", "roles", "a"))).error == (400, "general_argument_invalid")
