import asyncio
from dataclasses import replace

import pytest

from services.token.composition import open_token
from services.token.domain.key_factory import KeyFactory
from services.token.domain.seal import Seal, WrongMasterKey
from services.token.domain.signing_keys import State
from services.token.operations.key_sets import WrongIssuer, current_key_set, make_first_signing_keys
from services.token.settings import Settings
from shared.contracts.requests import GetKeys
from shared.contracts.signing_keys import (
    ListSigningKeys,
    ResealSigningKeys,
    RetireSigningKey,
    RotateSigningKey,
    SigningKeyRecords,
)
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.settings import Secret
from shared.messaging.bus import Bus
from shared.postgres.pool import Pool

WAIT_S = 15


def states(found: SigningKeyRecords) -> list[str]:
    return [key.state for key in found.keys]


def kid_of(found: SigningKeyRecords, state: str) -> str:
    return next(key.kid for key in found.keys if key.state == state)


async def published(bus: Bus) -> set[str]:
    return {key.kid for key in (await bus.ask(GetKeys())).keys}


async def test_the_first_start_makes_an_active_key_and_the_next_one(settings: Settings, bus: Bus) -> None:
    async with open_token(settings):
        found = await bus.ask(ListSigningKeys())

        assert sorted(states(found)) == ["active", "next"]
        assert await published(bus) == {key.kid for key in found.keys}


async def test_later_starts_keep_keys_and_issuer(settings: Settings, bus: Bus) -> None:
    async with open_token(settings):
        first = await bus.ask(GetKeys())
    async with open_token(settings):
        again = await bus.ask(GetKeys())

    assert again.keys == first.keys
    assert again.issuer == first.issuer
    assert first.issuer.startswith("urn:daypass:")


async def test_processes_that_start_at_once_agree_on_the_keys(settings: Settings, pool: Pool) -> None:
    key_factory = KeyFactory(Seal(settings.master_key), "ES256")

    await asyncio.gather(*(make_first_signing_keys(pool, key_factory, issuer="") for _ in range(8)))

    keys = (await current_key_set(pool, key_factory)).keys
    assert sorted(key.state for key in keys) == [State.ACTIVE, State.NEXT]


async def test_a_wrong_master_key_refuses_to_start_and_changes_nothing(settings: Settings, pool: Pool) -> None:
    async with open_token(settings):
        pass
    key_factory = KeyFactory(Seal(settings.master_key), "ES256")
    before = await current_key_set(pool, key_factory)

    with pytest.raises(WrongMasterKey, match="DAYPASS_MASTER_KEY"):
        async with open_token(replace(settings, master_key=Secret("another-master-key-" + "x" * 20))):
            pass

    assert await current_key_set(pool, key_factory) == before


async def test_a_master_key_is_changed_without_a_key_that_is_lost(settings: Settings, bus: Bus) -> None:
    old, new = settings.master_key, Secret("a-new-master-key-" + "y" * 20)
    both = replace(settings, master_key=Secret(f"{new.reveal()},{old.reveal()}"))
    async with open_token(settings):
        before = await bus.ask(ListSigningKeys())
    async with open_token(both):
        assert await bus.ask(ResealSigningKeys()) == before
    async with open_token(replace(settings, master_key=new)):
        assert await bus.ask(ListSigningKeys()) == before
        await bus.ask(RotateSigningKey(active=kid_of(before, "active")), timeout_s=WAIT_S)

    with pytest.raises(WrongMasterKey):
        async with open_token(settings):
            pass


async def test_another_issuer_than_that_of_the_first_start_refuses_to_start(settings: Settings, bus: Bus) -> None:
    async with open_token(replace(settings, issuer="https://id.example.com")):
        assert (await bus.ask(GetKeys())).issuer == "https://id.example.com"

    async with open_token(settings):
        assert (await bus.ask(GetKeys())).issuer == "https://id.example.com"
    with pytest.raises(WrongIssuer, match=r"https://id\.example\.com"):
        async with open_token(replace(settings, issuer="https://other.example.com")):
            pass


async def test_the_database_never_holds_a_private_key_in_the_clear(settings: Settings, pool: Pool, bus: Bus) -> None:
    async with open_token(settings):
        await bus.ask(ListSigningKeys())
    rows = await pool.fetch("SELECT kid, private_key FROM token.signing_keys")

    for row in rows:
        private = Seal(settings.master_key).open(row["private_key"], kid=row["kid"])
        assert private not in row["private_key"]


async def test_a_rotation_promotes_the_next_key_and_publishes_a_new_one(settings: Settings, bus: Bus) -> None:
    async with open_token(settings):
        before = await bus.ask(ListSigningKeys())
        old, following = kid_of(before, "active"), kid_of(before, "next")

        after = await bus.ask(RotateSigningKey(active=old), timeout_s=WAIT_S)

        assert kid_of(after, "retiring") == old
        assert kid_of(after, "active") == following
        assert after.receipt.startswith("n=")
        assert await published(bus) == {old, following, kid_of(after, "next")}


async def test_a_repeated_rotation_is_one_rotation(settings: Settings, bus: Bus) -> None:
    async with open_token(settings):
        old = kid_of(await bus.ask(ListSigningKeys()), "active")

        await asyncio.gather(*(bus.ask(RotateSigningKey(active=old), timeout_s=WAIT_S) for _ in range(4)))

        assert sorted(states(await bus.ask(ListSigningKeys()))) == ["active", "next", "retiring"]


async def test_the_next_key_is_of_the_algorithm_in_the_settings(settings: Settings, bus: Bus) -> None:
    async with open_token(settings):
        old = kid_of(await bus.ask(ListSigningKeys()), "active")
    async with open_token(replace(settings, signing_algorithm="EdDSA")):
        after = await bus.ask(RotateSigningKey(active=old), timeout_s=WAIT_S)

    assert {key.state: key.algorithm for key in after.keys} == {
        "retiring": "ES256",
        "active": "ES256",
        "next": "EdDSA",
    }


async def test_a_retired_key_is_published_no_more_and_its_private_half_is_erased(
    settings: Settings, pool: Pool, bus: Bus
) -> None:
    async with open_token(settings):
        old = kid_of(await bus.ask(ListSigningKeys()), "active")
        await bus.ask(RotateSigningKey(active=old), timeout_s=WAIT_S)

        after = await bus.ask(RetireSigningKey(kid=old), timeout_s=WAIT_S)

        assert kid_of(after, "gone") == old
        assert old not in await published(bus)
    assert await pool.fetchval("SELECT private_key FROM token.signing_keys WHERE kid = $1", old) is None


async def test_retiring_twice_is_confirmed_twice(settings: Settings, bus: Bus) -> None:
    async with open_token(settings):
        old = kid_of(await bus.ask(ListSigningKeys()), "active")
        await bus.ask(RotateSigningKey(active=old), timeout_s=WAIT_S)

        receipts = [(await bus.ask(RetireSigningKey(kid=old), timeout_s=WAIT_S)).receipt for _ in range(2)]

        assert all(receipt.startswith("n=") for receipt in receipts)
        assert receipts[0] != receipts[1]


@pytest.mark.parametrize("state", ["active", "next"])
async def test_a_key_that_signs_or_will_sign_cannot_be_retired(settings: Settings, bus: Bus, state: str) -> None:
    async with open_token(settings):
        before = await bus.ask(ListSigningKeys())

        with pytest.raises(Refusal) as found:
            await bus.ask(RetireSigningKey(kid=kid_of(before, state)))

        assert found.value.type is ErrorType.GENERAL_BAD_REQUEST
        assert await bus.ask(ListSigningKeys()) == before


async def test_the_next_key_cannot_be_rotated_away_and_unknown_keys_are_not_found(settings: Settings, bus: Bus) -> None:
    async with open_token(settings):
        before = await bus.ask(ListSigningKeys())

        with pytest.raises(Refusal) as early:
            await bus.ask(RotateSigningKey(active=kid_of(before, "next")))
        with pytest.raises(Refusal) as unknown:
            await bus.ask(RetireSigningKey(kid="unknown"))

        assert early.value.type is ErrorType.GENERAL_BAD_REQUEST
        assert unknown.value.type is ErrorType.SIGNING_KEY_NOT_FOUND
        assert await bus.ask(ListSigningKeys()) == before
