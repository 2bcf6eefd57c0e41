"""What a user's e-mail address tells by itself, in each answer that shows a user."""

import itertools
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.integration.auth.conftest import PASSWORD, World

NUMBERS = itertools.count()
NAMES = ("emailCanonical", "emailIsCanonical", "emailIsFree", "emailIsDisposable", "emailIsCorporate")


def traits(user: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(user[name] for name in NAMES)


async def test_every_answer_with_a_user_tells_what_the_address_does(world: World) -> None:
    number = next(NUMBERS)
    made = await world.guest.call(
        "POST", "/account", userId="unique()", email=f"t.raits{number}+news@gmail.com", password=PASSWORD
    )
    user = made.json["$id"]
    account = await (await world.session(user)).call("GET", "/account")
    shown = await world.key.call("GET", f"/users/{user}")
    own = json.dumps({"method": "equal", "attribute": "$id", "values": [user]})
    listed = await world.key.call("GET", f"/users?{urlencode({'queries[0]': own})}")

    expected = (f"traits{number}@gmail.com", False, True, False, False)
    assert [traits(one) for one in (made.json, account.json, shown.json, *listed.json["users"])] == [expected] * 4


async def test_they_follow_the_address(world: World) -> None:
    number = next(NUMBERS)
    user = (await world.key.call("POST", "/users", userId="unique()", phone=f"+4915780{number:06}")).json
    assert traits(user) == (None,) * 5

    for email, expected in (
        (f"traits.{number}@example.org", (f"traits.{number}@example.org", True, False, False, True)),
        (f"traits.{number}@mailinator.com", (f"traits.{number}@mailinator.com", True, False, True, False)),
        ("", (None,) * 5),
    ):
        changed = await world.key.call("PATCH", f"/users/{user['$id']}/email", email=email)
        assert traits(changed.json) == expected


@pytest.mark.parametrize("name", NAMES)
async def test_no_list_is_filtered_by_them(world: World, name: str) -> None:
    asked = json.dumps({"method": "isNotNull", "attribute": name})

    refused = await world.key.call("GET", f"/users?{urlencode({'queries[0]': asked})}")

    assert refused.error == (400, "general_argument_invalid")
