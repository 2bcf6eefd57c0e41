"""Teams by the official SDK: what a team may see, its members see from the moment they join until they leave."""

from dataclasses import dataclass

import pytest
from appwrite.client import Client
from appwrite.id import ID
from appwrite.permission import Permission
from appwrite.query import Query
from appwrite.role import Role
from appwrite.services.account import Account
from appwrite.services.tables_db import TablesDB
from appwrite.services.teams import Teams
from appwrite.services.users import Users

from tests.e2e.instance import Instance
from tests.e2e.sdk import call, refusal, server, with_jwt, with_session

TURNS = 6
"""More than there are replicas: each is asked."""


@dataclass(frozen=True)
class Story:
    """A team with a row that only its judges may read, and a user with a session and a JWT, who is no member."""

    instance: Instance
    database: str
    team: str
    user: str
    callers: tuple[Client, Client]

    @property
    def backend(self) -> Teams:
        return Teams(server(self.instance))

    def sees(self) -> set[bool]:
        """Ask every replica, with each credential, whether the row is there."""
        return {
            TablesDB(caller).list_rows(self.database, "verdicts").total == 1
            for caller in self.callers
            for _ in range(TURNS)
        }


@pytest.fixture
def story(instance: Instance) -> Story:
    backend = server(instance)
    team = Teams(backend).create(ID.unique(), "Court").id
    database, tables = ID.unique(), TablesDB(backend)
    tables.create(database, "Court")
    columns = [{"key": "text", "type": "varchar", "size": 64, "required": True}]
    tables.create_table(database, "verdicts", "Verdicts", permissions=[], row_security=True, columns=columns)
    judges = [Permission.read(Role.team(team, "judge"))]
    tables.create_row(database, "verdicts", ID.unique(), {"text": "guilty"}, judges)
    user = Users(backend).create(ID.unique(), name="Ada").id
    session = with_session(instance, str(Users(backend).create_session(user).secret))
    jwt = with_jwt(instance, str(call(session, "post", "/account/jwts")["jwt"]))
    return Story(instance, database, team, user, (session, jwt))


@pytest.mark.check("identity 78")
@pytest.mark.check("identity 79")
@pytest.mark.check("identity 80")
def test_a_role_is_in_force_from_the_call_that_gives_it_to_the_call_that_takes_it(story: Story) -> None:
    assert story.sees() == {False}
    membership = story.backend.create_membership(story.team, ["judge"], user_id=story.user).id
    assert story.sees() == {True}
    story.backend.update_membership(story.team, membership, ["clerk"])
    assert story.sees() == {False}
    story.backend.update_membership(story.team, membership, ["clerk", "judge"])
    assert story.sees() == {True}
    Teams(story.callers[1]).delete_membership(story.team, membership)
    assert story.sees() == {False}


@pytest.mark.check("identity 83")
def test_a_deleted_team_has_no_judges(story: Story) -> None:
    story.backend.create_membership(story.team, ["judge"], user_id=story.user)
    assert story.sees() == {True}
    story.backend.delete(story.team)
    assert story.sees() == {False}
    assert refusal(story.backend.get, story.team) == (404, "team_not_found")
    assert Users(server(story.instance)).list_memberships(story.user).total == 0
    assert Account(story.callers[0]).list_memberships().total == 0


@pytest.mark.check("identity 71")
@pytest.mark.check("identity 73")
def test_users_run_teams_of_their_own(story: Story) -> None:
    own = Teams(story.callers[0])
    team = own.create(ID.unique(), "Mine", ["player"])

    assert (team.total, team.prefs.data) == (1, {})
    assert own.update_name(team.id, "Ours").name == "Ours"
    assert own.update_prefs(team.id, {"colour": "blue"}).data == {"colour": "blue"}
    assert own.get_prefs(team.id).data == {"colour": "blue"}
    assert (own.get(team.id).name, own.get(team.id).prefs.data) == ("Ours", {"colour": "blue"})
    assert [one.id for one in own.list([Query.equal("name", "Ours")]).teams] == [team.id]
    (member,) = own.list_memberships(team.id).memberships
    assert (member.userid, member.confirm, sorted(member.roles)) == (story.user, True, ["owner", "player"])
    assert refusal(own.get, story.team) == (404, "team_not_found")
    own.delete(team.id)
    assert own.list().total == 0
