"""Login tokens against guesses: a short one does not live long, nor through many wrong tries."""

from datetime import datetime, timedelta
from itertools import count

from shared.kernel.clock import now
from tests.answer import Answer
from tests.integration.auth.conftest import World

ADDRESSES = (f"203.0.113.{number}" for number in count(1))
NAMES = (f"guessed{number}@example.org" for number in count())


async def exchange(world: World, user: str, secret: str) -> Answer:
    """Try a token from an address that has tried none before."""
    guest = world.guest.with_(X_Forwarded_For=next(ADDRESSES))
    return await guest.call("POST", "/account/sessions/token", userId=user, secret=secret)


async def token_of(world: World, user: str, **options: int) -> str:
    return str((await world.key.call("POST", f"/users/{user}/tokens", **options)).json["secret"])


async def test_a_short_token_dies_after_ten_wrong_tries_wherever_they_come_from(limited: World) -> None:
    user = await limited.sign_up(next(NAMES))
    secret = await token_of(limited, user)

    tries = [await exchange(limited, user, f"wrong{number}") for number in range(10)]

    assert {answer.error for answer in tries} == {(401, "user_invalid_token")}
    assert (await exchange(limited, user, secret)).error == (401, "user_invalid_token")


async def test_nine_wrong_tries_end_no_token_and_a_new_one_has_ten_of_its_own(limited: World) -> None:
    user = await limited.sign_up(next(NAMES))
    secret = await token_of(limited, user)
    for number in range(9):
        await exchange(limited, user, f"wrong{number}")
    later = await token_of(limited, user)

    assert (await exchange(limited, user, secret)).status == 201
    for number in range(9):
        await exchange(limited, user, f"wrong{number}")
    assert (await exchange(limited, user, later)).status == 201


async def test_wrong_tries_end_no_token_that_nobody_can_guess(limited: World) -> None:
    user = await limited.sign_up(next(NAMES))
    secret = await token_of(limited, user, length=16)
    for number in range(12):
        await exchange(limited, user, f"wrong{number}")

    assert (await exchange(limited, user, secret)).status == 201


async def test_a_key_guesses_no_more_often(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    secret = await token_of(world, user)
    for number in range(10):
        await world.key.call("POST", "/account/sessions/token", userId=user, secret=f"wrong{number}")

    assert (await world.key.call("POST", "/account/sessions/token", userId=user, secret=secret)).status == 401


async def test_a_short_token_lives_for_an_hour_at_most(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    day = 86_400
    short = (await world.key.call("POST", f"/users/{user}/tokens", length=15, expire=day)).json
    long = (await world.key.call("POST", f"/users/{user}/tokens", length=16, expire=day)).json

    lives = [datetime.fromisoformat(token["expire"]) - now() for token in (short, long)]
    assert timedelta(minutes=59) < lives[0] <= timedelta(hours=1)
    assert timedelta(hours=23) < lives[1] <= timedelta(days=1)
