"""A caller who guesses passwords is slowed down, and the owner of the address is not shut out."""

from itertools import count

import pytest

from services.auth.people.operations.guesses import PACE_S
from tests.answer import Answer
from tests.integration.auth.conftest import PASSWORD, World

ADDRESSES = (f"198.51.{number // 250}.{number % 250 + 1}" for number in count())
EMAIL = "ada@example.org"


async def sign_in(world: World, email: str, password: str, ip: str = "") -> Answer:
    guest = world.guest.with_(X_Forwarded_For=ip or next(ADDRESSES))
    return await guest.call("POST", "/account/sessions/email", email=email, password=password)


async def guess(world: World, email: str, times: int, ip: str = "") -> list[int]:
    return [(await sign_in(world, email, f"wrong password {number}", ip)).status for number in range(times)]


async def test_a_guesser_does_not_shut_out_the_owner_who_is_elsewhere(limited: World) -> None:
    await limited.sign_up(EMAIL)
    assert await guess(limited, EMAIL, 11, ip="203.0.113.66") == [401] * 10 + [429]

    assert (await sign_in(limited, EMAIL, PASSWORD)).status == 201


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org"])
async def test_guessers_everywhere_have_ten_tries_and_then_one_now_and_then(limited: World, email: str) -> None:
    await limited.sign_up(EMAIL)
    tries = await guess(limited, email, 20)

    assert tries == [401] * 11 + [429] * 9
    refused = await sign_in(limited, email, PASSWORD)
    assert refused.error == (429, "general_rate_limit_exceeded")
    assert 1 <= int(refused.headers["Retry-After"]) <= PACE_S
    assert (await sign_in(limited, "eve@example.org", PASSWORD)).status == 401


@pytest.mark.parametrize("ip", ["203.0.113.7", "2001:db8:1:2::7"])
async def test_guessers_do_not_lock_out_an_owner_who_has_signed_in_before(limited: World, ip: str) -> None:
    await limited.sign_up(EMAIL)
    session = (await sign_in(limited, EMAIL, PASSWORD, ip)).headers["X-Fallback-Cookies"]
    assert session
    await guess(limited, EMAIL, 20)

    assert (await sign_in(limited, EMAIL, PASSWORD)).status == 429
    for _ in range(5):
        assert (await sign_in(limited, EMAIL, PASSWORD, ip)).status == 201
    if ":" in ip:
        assert (await sign_in(limited, EMAIL, PASSWORD, "2001:db8:1:2::99")).status == 201
    assert await guess(limited, EMAIL, 11, ip) == [401] * 10 + [429]


async def test_a_session_that_a_backend_made_is_no_place_where_the_owner_has_been(limited: World) -> None:
    user = await limited.sign_up(EMAIL)
    backend = limited.key.with_(X_Forwarded_For="203.0.113.8")
    assert (await backend.call("POST", f"/users/{user}/sessions")).status == 201
    await guess(limited, EMAIL, 20)

    assert (await sign_in(limited, EMAIL, PASSWORD, "203.0.113.8")).status == 429


async def test_right_passwords_are_no_guesses(limited: World) -> None:
    await limited.sign_up(EMAIL)

    assert {(await sign_in(limited, EMAIL, PASSWORD)).status for _ in range(15)} == {201}
