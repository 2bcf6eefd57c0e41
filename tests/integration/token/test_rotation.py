import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator

import jwt

from services.embedded.valkey import Valkey
from services.token.domain.key_factory import KeyFactory
from services.token.domain.seal import Seal
from services.token.domain.tokens import Bearer, claims_for
from services.token.operations.keyring import Keyrings
from services.token.settings import Settings
from shared.contracts.signing_keys import ListSigningKeys, RetireSigningKey, RotateSigningKey
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.messaging.bus import Bus
from shared.postgres.pool import Pool
from tests.accounts import Accounts
from tests.eventually import eventually
from tests.integration.token.replica import Replica

REQUESTS = 2_000
CALLERS = 8


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def active_kid(bus: Bus) -> str:
    return next(key.kid for key in (await bus.ask(ListSigningKeys())).keys if key.state == "active")


async def test_no_request_fails_across_rotations(
    start: Callable[[], Awaitable[Replica]], accounts: Accounts, bus: Bus
) -> None:
    """Each JWT is made by one replica and checked at once by the other, while the key is rotated three times."""
    replicas = [await start(), await start()]
    key = accounts.make_key("jwts.read")
    proof = accounts.sign_in("ada")
    kids: list[str] = []
    is_rotated = asyncio.Event()

    async def caller(order: Iterator[tuple[Replica, Replica]]) -> None:
        is_last = False
        while not is_last:
            is_last = is_rotated.is_set() and len(kids) >= REQUESTS // 2
            minting, checking = next(order)
            token = await minting.mint(proof)
            assert (await checking.introspect(token, key))["active"]
            kids.append(kid_of(token))

    async def rotate() -> None:
        for part in range(1, 4):
            await eventually(lambda made=part: len(kids) >= REQUESTS // 2 * made // 4, True)
            old = await active_kid(bus)
            await bus.ask(RotateSigningKey(active=old), timeout_s=15)
            # A client may rely on this answer: nobody signs with the old key any more.
            made = await asyncio.gather(*(replica.mint(proof) for replica in replicas))
            assert old not in map(kid_of, made)
        is_rotated.set()

    async with asyncio.TaskGroup() as group:
        for number in range(CALLERS):
            order = replicas if number % 2 else replicas[::-1]
            group.create_task(caller(itertools.repeat((order[0], order[1]))))
        group.create_task(rotate())

    assert len(kids) >= REQUESTS // 2
    assert len(set(kids)) == 4


async def test_a_jwt_of_a_key_that_retires_is_good_until_the_key_is_gone(
    start: Callable[[], Awaitable[Replica]], accounts: Accounts, bus: Bus
) -> None:
    replica = await start()
    key = accounts.make_key("jwts.read")
    proof = accounts.sign_in("ada")
    token = await replica.mint(proof)
    old = await active_kid(bus)
    for _ in range(2):
        await bus.ask(RotateSigningKey(active=await active_kid(bus)), timeout_s=15)
        assert (await replica.introspect(token, key))["active"]

    await bus.ask(RetireSigningKey(kid=old), timeout_s=15)

    assert await replica.introspect(token, key) == {"active": False}


async def test_a_new_replica_knows_the_keys_of_the_others(
    start: Callable[[], Awaitable[Replica]], accounts: Accounts, bus: Bus
) -> None:
    first = await start()
    key = accounts.make_key("jwts.read")
    proof = accounts.sign_in("ada")
    await bus.ask(RotateSigningKey(active=await active_kid(bus)), timeout_s=15)
    token = await first.mint(proof)

    second = await start()

    assert (await second.introspect(token, key))["active"]
    assert kid_of(await second.mint(proof)) == kid_of(token)


async def test_a_replica_without_a_lease_signs_with_what_the_database_says(
    start: Callable[[], Awaitable[Replica]], settings: Settings, pool: Pool, bus: Bus, valkey: Valkey
) -> None:
    await start()
    deaf = Guard(service="token", redis_url=valkey.url("token"), resolver=BusResolver(bus))
    keyrings = Keyrings(pool=pool, key_factory=KeyFactory(Seal(settings.master_key), "ES256"), guard=deaf)

    async def signing_kid() -> str:
        claims = claims_for(
            issuer="i",
            bearer=Bearer(project_id="p", project_incarnation=1, user_id="u", user_incarnation=2, session_id=""),
            duration_s=1,
            now=0,
        )
        return kid_of((await keyrings.current()).signer.sign(claims))

    old = await active_kid(bus)
    assert await signing_kid() == old
    await bus.ask(RotateSigningKey(active=old), timeout_s=15)

    assert await signing_kid() == await active_kid(bus) != old
