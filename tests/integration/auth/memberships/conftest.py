"""A world in which users invite others, once for all tests of this folder."""

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.auth.conftest import (
    Caller,
    Hurried,
    World,
    open_world,
)
from tests.integration.auth.invitations import invited
from tests.integration.auth.people import a_team, a_user, join
from tests.parts import Database, Parts


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where invitations go."""
    return tmp_path_factory.mktemp("parts") / "invitations"


@pytest.fixture(scope="session")
async def tables(parts: Parts) -> Database:
    """The database of the world."""
    return await parts.new_database()


@pytest.fixture(scope="session")
async def world(parts: Parts, tables: Database, folder: Path) -> AsyncIterator[World]:
    """One in which users can invite others."""
    async with (
        parts.valkey() as valkey,
        open_world(tables, valkey, rate_limits=False, invitations_dir=str(folder)) as world,
    ):
        yield world


@dataclass(frozen=True)
class Scene:
    """A team: its owner, a member with a membership, a user who is invited, one who is not."""

    team: str
    owner: Caller
    member: Caller
    membership: str
    invited: Caller
    invitation: str
    other: str

    def sent_by(self, hurried: Hurried) -> "Scene":
        """The same, of callers who call another process."""
        callers = {name: hurried(getattr(self, name)) for name in ("owner", "member", "invited")}
        return dataclasses.replace(self, **callers)

    def path(self, membership: str = "") -> str:
        return f"/teams/{self.team}/memberships" + (f"/{membership}" if membership else "")


@pytest.fixture
async def scene(world: World) -> Scene:
    (_, owner), (user, member), (guest, session), (other, _) = [await a_user(world) for _ in range(4)]
    team = await a_team(owner)
    membership = (await join(world, team, user, "player")).json["$id"]
    return Scene(team, owner, member, membership, session, await invited(owner, team, userId=guest), other)
