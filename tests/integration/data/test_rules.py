"""The rules of permissions: the cases of permissions.yaml, each tried on one table."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import pytest

from tests.accounts import Headers
from tests.answer import Answer
from tests.integration.data.api import OLD_WORDS, Api, TableApi
from tests.integration.data.people import HOLDERS, RULES, sign_in_all

COLUMNS = [{"key": "number", "type": "integer"}]
NUMBERS = itertools.count(1)


@dataclass
class Scene:
    """One permission, on a table or on its only row."""

    table: TableApi
    row_permissions: list[str]
    row: str = ""

    async def set_up(self, table_permissions: list[str], *, security: bool) -> None:
        body = {"permissions": table_permissions, "rowSecurity": security}
        assert (await self.table.call("PUT", "", body=body)).status == 200
        self.row = await self.table.new_row({"number": 0}, *self.row_permissions)

    async def attempt(self, operation: str, caller: Headers) -> str:
        """Return what an operation answers, in the words of the cases; the table has its one row again then."""
        answer: Answer = await OPERATIONS[operation](self, caller)
        said = " ".join(str(part) for part in answer.said if part)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return said
        if operation == "delete":
            self.row = await self.table.new_row({"number": 0}, *self.row_permissions)
        elif operation in {"create", "upsert missing"}:
            assert (await self.table.delete(answer.json["$id"])).status == 204
        elif operation == "list":
            return {(): "nothing", (self.row,): "row"}[tuple(row["$id"] for row in answer.json["rows"])]
        return said


def changed() -> dict[str, Any]:
    """Return data that no row has yet."""
    return {"data": {"number": next(NUMBERS)}}


OPERATIONS: dict[str, Callable[[Scene, Headers], Awaitable[Answer]]] = {
    "get": lambda scene, caller: scene.table.get(scene.row, caller),
    "list": lambda scene, caller: scene.table.list(caller=caller),
    "create": lambda scene, caller: scene.table.create({"number": 1}, caller, permissions=[]),
    "update": lambda scene, caller: scene.table.update(scene.row, changed(), caller),
    "update missing": lambda scene, caller: scene.table.update("missing", changed(), caller),
    "increment": lambda scene, caller: scene.table.call("PATCH", f"/rows/{scene.row}/number/increment", caller, {}),
    "upsert": lambda scene, caller: scene.table.call("PUT", f"/rows/{scene.row}", caller, changed()),
    "upsert missing": lambda scene, caller: scene.table.call("PUT", "/rows/missing", caller, changed()),
    "delete missing": lambda scene, caller: scene.table.delete("missing", caller),
    "delete": lambda scene, caller: scene.table.delete(scene.row, caller),
}


@pytest.mark.check("data 1", "data 3", "data 5", "data 6", "data 7", "data 8", "data 9")
@pytest.mark.check("data 21", "data 25", "data 32", "data 33")
async def test_a_permission_grants_one_action_to_exactly_those_who_hold_its_role(api: Api) -> None:
    assert await wrong_cases(api, HOLDERS) == []


async def test_the_older_api_grants_by_the_same_rules(api: Api) -> None:
    older = replace(api, service="databases", old_words=OLD_WORDS)
    role = RULES["thoroughly"]

    assert await wrong_cases(older, {role: HOLDERS[role]}) == []


async def wrong_cases(api: Api, roles: dict[str, list[str]]) -> list[tuple[Any, ...]]:
    """Return what was answered where it is not what the cases say, for each of these roles."""
    table = await api.new_table(columns=COLUMNS)
    callers = sign_in_all(api.accounts)
    wrong = []
    for case, (role, holders) in itertools.product(RULES["cases"], roles.items()):
        permissions = {"table": [], "row": []} | {case["by"]: [f'{case["granted"]}("{role}")']}
        scene = Scene(table, permissions["row"])
        await scene.set_up(permissions["table"], security=case["rowSecurity"])
        tried = itertools.product(callers.items(), RULES["broadly"][case["granted"]])
        if role == RULES["thoroughly"]:
            tried = itertools.product((callers | {"key": api.key}).items(), OPERATIONS)
        for (name, caller), operation in tried:
            answers = RULES["key"] if name == "key" else case["holders" if name in holders else "others"]
            said = await scene.attempt(operation, caller)
            if said != str(answers[operation]):
                wrong.append((case["granted"], case["by"], case["rowSecurity"], role, name, operation, said))
        assert (await table.delete(scene.row)).status == 204
    return wrong
