"""Invitations to teams of an instance that is started by one command."""

import json
import stat
from pathlib import Path

import pytest
from appwrite.client import Client
from appwrite.id import ID
from appwrite.services.teams import Teams
from appwrite.services.users import Users

from tests.integration.embedded.daypass import User


@pytest.mark.check("identity 75")
@pytest.mark.check("identity 76")
def test_invitations_lie_in_the_data_directory_until_reset(each_user: User, kept_dir: Path) -> None:
    with each_user.up(kept_dir) as instance:
        said = instance.ready()
        guest = Client().set_endpoint(said["endpoint"]).set_project(said["project"])
        backend = Client().set_endpoint(said["endpoint"]).set_project(said["project"]).set_key(said["key"])
        owner = Users(backend).create(ID.unique(), name="Ada").id
        session = Users(backend).create_session(owner).secret
        own = Teams(Client().set_endpoint(said["endpoint"]).set_project(said["project"]).set_session(session))
        team = own.create(ID.unique(), "Team").id
        invitation = own.create_membership(team, ["x"], email="grace@example.org", url="http://localhost/")
        (file,) = (kept_dir / "invitations").iterdir()
        assert (stat.S_IMODE(file.stat().st_mode), file.stat().st_uid) == (0o600, each_user.uid)
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        sent = json.loads(file.read_text())
        assert (sent["to"], sent["membershipId"]) == ("grace@example.org", invitation.id)
        secret = sent["link"].partition("&secret=")[2].partition("&")[0]
        assert Teams(guest).update_membership_status(team, invitation.id, sent["userId"], secret).confirm

    assert each_user.run(kept_dir, "reset", "--yes").returncode == 0
    assert not kept_dir.exists()
