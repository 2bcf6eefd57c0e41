"""Teams and memberships, by the official SDK."""

import asyncio
from pathlib import Path

import pytest
from appwrite.id import ID
from appwrite.query import Query

from tests.integration.auth.conftest import (
    World,
)
from tests.integration.auth.invitations import ADDRESSES, URL, letter
from tests.integration.auth.people import a_user
from tests.integration.auth.sdk import teams


@pytest.mark.check("identity 71")
@pytest.mark.check("identity 75")
@pytest.mark.check("identity 76")
@pytest.mark.check("identity 78")
@pytest.mark.check("identity 80")
@pytest.mark.check("identity 83")
async def test_the_official_sdk_reads_every_answer(world: World, folder: Path) -> None:
    """Its models refuse what does not fit."""
    user, owner = await a_user(world)
    other, session = await a_user(world)
    own, backend, guest, invitee = (teams(caller) for caller in (owner, world.key, world.guest, session))

    def story() -> None:
        team = own.create(ID.unique(), "Team", ["player"])
        assert (team.name, team.total, team.prefs.data) == ("Team", 1, {})
        assert own.get(team.id).id == team.id
        assert own.update_name(team.id, "New").name == "New"
        assert own.update_prefs(team.id, {"a": [1]}).data == own.get_prefs(team.id).data == {"a": [1]}
        assert [one.id for one in own.list([Query.equal("name", "New")]).teams] == [team.id]
        invitation = own.create_membership(team.id, ["x"], email=next(ADDRESSES), url=URL, name="Grace")
        assert (invitation.username, invitation.confirm, invitation.joined) == ("Grace", False, "")
        sent = letter(folder, invitation.id)
        joined = guest.update_membership_status(team.id, invitation.id, sent["userId"], sent["secret"])
        assert (joined.username, joined.confirm, joined.joined != "") == ("Grace", True, True)
        made = backend.create_membership(team.id, ["y"], user_id=other, membership_id=ID.unique())
        assert (made.userid, made.roles) == (other, ["y"])
        assert own.update_membership(team.id, made.id, ["z"]).roles == ["z"]
        assert own.get_membership(team.id, made.id).userid == ""
        assert invitee.get_membership(team.id, made.id).userid == other
        assert backend.get_membership(team.id, made.id).userid == other
        members = backend.list_memberships(team.id, [Query.contains("roles", ["owner"])])
        assert (members.total, members.memberships[0].userid) == (1, user)
        assert invitee.list_memberships(team.id, total=False).total == 0
        invitee.delete_membership(team.id, made.id)
        assert own.get(team.id).total == 2
        own.delete(team.id)
        assert backend.list(search=team.id).total == 0

    await asyncio.to_thread(story)
