"""What callers may do compared with a plain model of the rules, and with the explanation: random grants and callers."""

import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.accounts import Headers
from tests.integration.data.api import Api, TableApi
from tests.integration.data.model import ROLES, USERS, User, holds, sign_in

KEY = "key"
ROWS = 3
TEXTS = map(str, itertools.count())

Grants = list[tuple[str, str]]
"""Actions, and the roles that they are granted to."""


@dataclass(frozen=True)
class Rules:
    """The grants of a table and its rows, and the caller (None: a guest)."""

    table: Grants
    security: bool
    rows: list[Grants]
    caller: User | str | None

    def may(self, action: str, row: int | None = None) -> bool:
        """Say whether the caller may do that to a row; None: to one that grants nothing."""
        if isinstance(self.caller, str):
            return True
        counted = [*self.table, *(self.rows[row] if self.security and row is not None else [])]
        return any(granted == action and holds(self.caller, role) for granted, role in counted)


@st.composite
def random_rules(draw: st.DrawFn) -> Rules:
    """Draw rules of few roles, so that a role is granted one thing here and another there."""
    roles = st.sampled_from(draw(st.lists(st.sampled_from(ROLES), min_size=1, max_size=4)))
    of_table = st.tuples(st.sampled_from(["read", "create", "update", "delete"]), roles)
    of_row = st.tuples(st.sampled_from(["read", "update", "delete"]), roles)
    return Rules(
        table=draw(st.lists(of_table, max_size=2, unique=True)),
        security=draw(st.booleans()),
        rows=draw(st.lists(st.lists(of_row, max_size=5, unique=True), min_size=ROWS, max_size=ROWS)),
        caller=draw(st.none() | USERS | st.just(KEY)),
    )


def encode_prefs(grants: Grants) -> list[str]:
    return [f'{action}("{role}")' for action, role in grants]


@pytest.fixture(scope="module")
async def table(api: Api) -> TableApi:
    return await api.new_table()


async def set_up(table: TableApi, rules: Rules) -> list[str]:
    """Make the table's rows anew; return their ids."""
    left = (await table.list()).json["rows"]
    for row in left:
        assert (await table.delete(row["$id"])).status == 204
    body = {"permissions": encode_prefs(rules.table), "rowSecurity": rules.security}
    assert (await table.call("PUT", "", body=body)).status == 200
    return [await table.new_row(None, *encode_prefs(grants)) for grants in rules.rows]


async def explained(table: TableApi, row: str, caller: Headers) -> dict[str, Any]:
    answer = await table.get(row, table.api.key | caller | {"X-Daypass-Explain": "1"})
    return {one["action"]: one for one in answer.json["$explain"]["actions"]}


def check_explained(rules: Rules, row: int, action: str, told: dict[str, Any]) -> None:
    """Compare what is told of an action with the model: also that what would grant it is not held, and what does is."""
    assert not isinstance(rules.caller, str)
    assert told["allowed"] == rules.may(action, row) == bool(told["grants"])
    assert not any(holds(rules.caller, role) for role in told["needs"])
    own = [permission for permission in encode_prefs(rules.rows[row]) if permission.startswith(action)]
    held = [text for text in own if holds(rules.caller, text.split('"')[1])]
    granted = [grant["permission"] for grant in told["grants"] if grant["of"] == "row"]
    assert (granted, told["ignored"]) == ((held, []) if rules.security else ([], held))


@given(rules=random_rules())
@settings(max_examples=60, deadline=None)
async def test_a_caller_may_do_what_the_model_says(table: TableApi, rules: Rules) -> None:
    rows = await set_up(table, rules)
    caller = table.api.key if isinstance(rules.caller, str) else sign_in(table.api.accounts, rules.caller)
    readable = [id_ for place, id_ in enumerate(rows) if rules.may("read", place)]

    listed = await table.list(caller=caller)
    if rules.security or rules.may("read"):
        assert (listed.json["total"], [row["$id"] for row in listed.json["rows"]]) == (len(readable), readable)
    else:
        assert listed.said == (401, "user_unauthorized")
    for place, id_ in enumerate(rows):
        assert (await table.get(id_, caller)).said == ((200, "") if id_ in readable else (404, "row_not_found"))
        if not isinstance(rules.caller, str):
            for action, told in (await explained(table, id_, caller)).items():
                check_explained(rules, place, action, told)
        for action, done in (("update", (200, "")), ("delete", (204, ""))):
            changed = {"data": {"text": next(TEXTS)}}
            tried = table.update(id_, changed, caller) if action == "update" else table.delete(id_, caller)
            is_told = rules.may("read", place) or not (rules.security or rules.may(action))
            refused = (401, "user_unauthorized") if is_told else (404, "row_not_found")
            assert (await tried).said == (done if rules.may(action, place) else refused), action
    made = await table.create(caller=caller, permissions=[])
    assert made.said == ((201, "") if rules.may("create") else (401, "user_unauthorized"))
