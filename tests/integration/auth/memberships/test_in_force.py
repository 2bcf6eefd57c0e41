"""Changes of memberships that cannot be confirmed: none is answered as if it were in force."""

import asyncio
from pathlib import Path

import pytest

from shared.guard.feed_reader import LEASE_S
from tests.answer import Answer
from tests.integration.auth.conftest import Hurried, World
from tests.integration.auth.invitations import accept, signed_in
from tests.integration.auth.memberships.conftest import Scene
from tests.integration.auth.people import join, waits

CHANGES = {
    "create": (201, 409),
    "join": (201, 409),
    "roles": (200, 200),
    "accept": (200, 409),
    "leave": (204, 404),
    "remove": (204, 404),
    "delete": (204, 404),
}
"""What may be asked for: the status of the answer, and of that to the same call again."""


async def change(world: World, folder: Path, scene: Scene, what: str) -> Answer:
    match what:
        case "create":
            return await scene.member.call("POST", "/teams", teamId=f"{scene.team}-2", name="Team")
        case "join":
            return await join(world, scene.team, scene.other, "player")
        case "roles":
            return await scene.owner.call("PATCH", scene.path(scene.membership), roles=["judge"])
        case "accept":
            return await accept(scene.invited, folder, scene.invitation)
        case "leave":
            return await scene.member.call("DELETE", scene.path(scene.membership))
        case "remove":
            return await world.key.call("DELETE", scene.path(scene.membership))
    return await world.key.call("DELETE", f"/teams/{scene.team}")


@pytest.mark.parametrize("what", CHANGES)
async def test_a_change_that_is_not_in_force_everywhere_is_not_answered_as_if_it_were(
    world: World, folder: Path, scene: Scene, hurried: Hurried, late: asyncio.Event, what: str
) -> None:
    """Not by the call itself, and not by the same call again."""
    unconfirmed = await change(world.sent_by(hurried), folder, scene.sent_by(hurried), what)
    assert unconfirmed.error == (503, "revocation_unconfirmed")
    again = asyncio.create_task(change(world, folder, scene, what))

    assert await waits(again)
    late.set()
    assert (await again).status == CHANGES[what][1]


async def test_a_guest_who_accepts_is_signed_in_though_it_is_not_confirmed(
    world: World, folder: Path, scene: Scene, hurried: Hurried, late: asyncio.Event
) -> None:
    accepted = await accept(hurried(world.guest), folder, scene.invitation)

    assert not late.is_set()
    assert (accepted.status, accepted.headers["Daypass-Receipt"]) == (200, "pending")
    assert (await signed_in(world, accepted).call("GET", f"/teams/{scene.team}")).status == 200


@pytest.mark.parametrize("what", CHANGES)
async def test_without_a_lease_rights_are_taken_and_none_are_given(
    world: World, folder: Path, scene: Scene, what: str
) -> None:
    await world.guard.reader.until_leased(20)
    world.clock.ahead_s = LEASE_S
    try:
        answer = await change(world, folder, scene, what)
    finally:
        world.clock.ahead_s = 0.0
    if what in {"leave", "remove", "delete"}:
        assert answer.status == CHANGES[what][0]
    else:
        assert answer.error == (503, "revocation_unconfirmed")
        assert (await change(world, folder, scene, what)).status == CHANGES[what][0]
