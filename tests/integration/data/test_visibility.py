"""Lists and rows compared with a plain model of who sees what: random grants, callers, orders and pages."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.accounts import Headers
from tests.integration.data.api import Api, TableApi, query
from tests.integration.data.model import ROLES, USERS, User, holds, sign_in

NUMBER = 8


@dataclass(frozen=True)
class Scene:
    """A table's readers, whether it has row security, each row's readers, and who lists it (None: a guest)."""

    readers: list[str]
    security: bool
    rows: list[list[str]]
    caller: User | None


def visible(scene: Scene) -> list[int] | None:
    """Return the places of the rows that are seen; None: the list itself is refused."""
    if any(holds(scene.caller, role) for role in scene.readers):
        return list(range(NUMBER))
    if not scene.security:
        return None
    return [place for place, roles in enumerate(scene.rows) if any(holds(scene.caller, role) for role in roles)]


READERS = st.lists(st.sampled_from(ROLES), max_size=4, unique=True)
SCENES = st.builds(
    Scene,
    readers=st.lists(st.sampled_from(ROLES), max_size=1),
    security=st.sampled_from([True, True, True, False]),
    rows=st.lists(READERS, min_size=NUMBER, max_size=NUMBER),
    caller=st.none() | USERS,
)


@dataclass(frozen=True)
class Shelf:
    """A table with NUMBER rows, of which each two were made in the same moment and hold the same text."""

    table: TableApi
    ids: list[str]

    def orders(self) -> list[tuple[list[str], list[int]]]:
        """Return queries, and the places of all rows in the order, and with the filter, that they ask for."""
        places = list(range(NUMBER))
        by_text = sorted(places, key=lambda place: (-(place // 2 % 2), place))
        return [
            ([], places),
            ([query("orderDesc", "")], places[::-1]),
            ([query("orderDesc", "$createdAt")], places[::-1]),
            ([query("orderAsc", "$createdAt")], places),
            ([query("orderDesc", "text")], by_text),
            ([query("equal", "text", "text 1")], [place for place in places if place // 2 % 2]),
        ]


@pytest.fixture(scope="module")
async def shelf(api: Api) -> Shelf:
    table = await api.new_table()
    ids = [
        await table.new_row({"text": f"text {place // 2 % 2}", "$createdAt": f"2020-01-01T00:00:0{place // 2}Z"})
        for place in range(NUMBER)
    ]
    return Shelf(table, ids)


async def set_up(shelf: Shelf, scene: Scene) -> Headers:
    body = {"permissions": [f'read("{role}")' for role in scene.readers], "rowSecurity": scene.security}
    assert (await shelf.table.call("PUT", "", body=body)).status == 200
    for id_, roles in zip(shelf.ids, scene.rows, strict=True):
        changed = {"permissions": ['update("any")', *(f'read("{role}")' for role in roles)]}
        assert (await shelf.table.update(id_, changed)).status == 200
    return sign_in(shelf.table.api.accounts, scene.caller)


@given(scene=SCENES)
@settings(max_examples=30, deadline=None)
async def test_a_caller_sees_what_the_model_says(shelf: Shelf, scene: Scene) -> None:
    caller = await set_up(shelf, scene)
    seen = visible(scene)

    for place, id_ in enumerate(shelf.ids):
        expected = (200, "") if place in (seen or []) else (404, "row_not_found")
        assert (await shelf.table.get(id_, caller)).said == expected
    for queries, places in shelf.orders():
        answer = await shelf.table.list(*queries, caller=caller)
        if seen is None:
            assert answer.said == (401, "user_unauthorized")
            continue
        expected_ids = [shelf.ids[place] for place in places if place in seen]
        assert [row["$id"] for row in answer.json["rows"]] == expected_ids
        assert answer.json["total"] == len(expected_ids)


@given(scene=SCENES.filter(lambda scene: visible(scene) is not None), size=st.integers(1, 4))
@settings(max_examples=15, deadline=None)
async def test_pages_join_to_what_the_model_says(shelf: Shelf, scene: Scene, size: int) -> None:
    caller = await set_up(shelf, scene)
    seen = visible(scene) or []

    for queries, places in shelf.orders():
        expected = [shelf.ids[place] for place in places if place in seen]
        limit = query("limit", None, size)
        for start in range(0, len(expected) + 1, size):
            after = [query("cursorAfter", None, expected[start - 1])] if start else []
            page = await shelf.table.found(*queries, *after, limit, caller=caller)
            skipped = await shelf.table.found(*queries, query("offset", None, start), limit, caller=caller)
            assert page == skipped == expected[start : start + size]
            before = [query("cursorBefore", None, expected[start])] if start < len(expected) else []
            if before:
                page = await shelf.table.found(*queries, *before, limit, caller=caller)
                assert page == expected[max(0, start - size) : start]
