"""Receipts: what a revocation leaves behind, and what is said while it is not confirmed."""

import asyncio

import pytest

from shared.contracts.requests import Request
from shared.contracts.revocations import ListRevocations, RevocationRecord, ShowRevocation
from shared.kernel.errors import ErrorType, Refusal
from tests.answer import Answer
from tests.eventually import eventually
from tests.integration.auth.conftest import PASSWORD, PROJECT, Hurried, World
from tests.integration.auth.people import waits


async def record(world: World, number: int) -> RevocationRecord:
    return (await world.bus.ask(ShowRevocation(number=number))).revocations[0]


async def only(world: World, request: Request) -> list[RevocationRecord]:  # type: ignore[type-arg] # of records
    return list((await world.bus.ask(request)).revocations)


def number_in(answer: Answer) -> int:
    return int(answer.headers["Daypass-Receipt"].split(",")[0].removeprefix("n="))


async def test_a_delete_leaves_a_receipt_that_can_be_looked_up(world: World) -> None:
    user = await world.sign_up("receipt@example.org")
    caller = await world.session(user)
    number = number_in(await caller.call("DELETE", "/account/sessions/current"))

    async def state() -> str:
        return (await record(world, number)).state

    await eventually(state, "confirmed")
    found = await record(world, number)
    assert (found.reason, found.asked_by) == ("session.deleted", f"user:{user}")
    assert found.subjects[0].startswith(f"session:{PROJECT}/")
    assert found.acked >= 1
    assert found.answered_at >= found.committed_at
    assert [one.number for one in await only(world, ListRevocations(subject=found.subjects[0]))] == [number]


async def test_an_unknown_receipt_is_refused(world: World) -> None:
    with pytest.raises(Refusal) as caught:
        await record(world, 999_999)
    assert caught.value.type is ErrorType.REVOCATION_NOT_FOUND


async def test_an_unconfirmed_delete_says_so_stays_pending_and_is_confirmed_when_it_is(
    world: World, hurried: Hurried, late: asyncio.Event
) -> None:
    user = await world.sign_up("pending@example.org")
    answer = await hurried(world.key).call("DELETE", f"/users/{user}/sessions")

    assert answer.error == (503, "revocation_unconfirmed")
    assert answer.headers["Retry-After"]
    asked = ListRevocations(subject=f"user:{PROJECT}/{user}", is_pending=True)
    (pending,) = await only(world, asked)
    assert (pending.state, pending.answered_at) == ("pending", "")

    late.set()

    async def are_pending() -> list[RevocationRecord]:
        return await only(world, asked)

    await eventually(are_pending, [])
    assert (await record(world, pending.number)).state == "confirmed"


@pytest.mark.parametrize("what", ["session", "user"])
async def test_a_repeated_delete_by_key_is_answered_once_the_first_is_in_force(
    world: World, late: asyncio.Event, hurried: Hurried, what: str
) -> None:
    user = await world.sign_up(f"again-{what}@example.org")
    session = (await world.key.call("POST", f"/users/{user}/sessions")).json["$id"]
    path = {"session": f"/users/{user}/sessions/{session}", "user": f"/users/{user}"}[what]
    assert (await hurried(world.key).call("DELETE", path)).status == 503
    again = asyncio.create_task(world.key.call("DELETE", path))

    assert await waits(again)
    late.set()
    assert (await again).status == 404


@pytest.mark.parametrize("kind", ["session", "jwt"])
@pytest.mark.parametrize("path", ["/account/sessions/current", "/account/sessions"])
async def test_the_dead_credential_itself_is_refused_once_its_end_is_in_force(
    world: World, late: asyncio.Event, hurried: Hurried, kind: str, path: str
) -> None:
    user = await world.sign_up(f"dead-{kind}-{len(path)}@example.org")
    caller = await world.session(user)
    credential = caller if kind == "session" else await world.jwt(caller)
    assert (await hurried(caller).call("DELETE", "/account/sessions/current")).status == 503
    again = asyncio.create_task(credential.call("DELETE", path))

    assert await waits(again)
    late.set()
    assert (await again).error == (401, "general_unauthorized_scope")


@pytest.mark.parametrize(("method", "path", "error"), [("PATCH", "/account/status", 403), ("DELETE", "/account", 401)])
async def test_a_session_that_ends_itself_twice_is_refused_once_that_is_in_force(
    world: World, late: asyncio.Event, hurried: Hurried, method: str, path: str, error: int
) -> None:
    caller = await world.session(await world.sign_up(f"self-{method}@example.org"))
    assert (await hurried(caller).call(method, path)).status == 503
    again = asyncio.create_task(caller.call(method, path))

    assert await waits(again)
    late.set()
    assert (await again).status == error


async def test_a_sign_in_whose_eviction_is_not_confirmed_succeeds_with_a_pending_receipt(
    world: World, hurried: Hurried, late: asyncio.Event
) -> None:
    await world.sign_up("evict@example.org")
    body = {"email": "evict@example.org", "password": PASSWORD}
    for _ in range(10):
        assert (await world.guest.call("POST", "/account/sessions/email", **body)).status == 201
    answer = await hurried(world.guest).call("POST", "/account/sessions/email", **body)

    assert answer.status == 201
    assert answer.headers["Daypass-Receipt"] == "pending"
    assert answer.headers.getall("Set-Cookie")
