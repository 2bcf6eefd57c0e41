"""A project by the official SDK: each switch is in force when its call has returned, and is set back."""

import os
from collections.abc import Iterator

import pytest
import requests
from appwrite.enums.project_auth_method_id import ProjectAuthMethodId
from appwrite.id import ID
from appwrite.query import Query
from appwrite.services.account import Account
from appwrite.services.project import Project
from appwrite.services.teams import Teams
from appwrite.services.users import Users

from tests.e2e.instance import Instance
from tests.e2e.processes import daypass
from tests.e2e.sdk import client, refusal, server, with_session

PASSWORD, OTHER = "correct horse", "another password"
DAY_S = 24 * 60 * 60


@pytest.fixture
def project(embedded: Instance) -> Iterator[Project]:
    """The project, whose switches are set back at the end."""
    project = Project(server(embedded))
    yield project
    project.update_auth_method(ProjectAuthMethodId.EMAIL_PASSWORD, True)
    project.update_session_limit_policy(10)
    project.update_session_duration_policy(365 * DAY_S)
    project.update_session_invalidation_policy(True)
    project.update_user_limit_policy(None)
    project.update_membership_privacy_policy(False, False, False, False, False, False)


@pytest.fixture
def user(embedded: Instance) -> str:
    """A new user, whose address is the id at x.org."""
    id_ = ID.unique()
    return str(Users(server(embedded)).create(id_, f"{id_}@x.org", password=PASSWORD, name="Ada").id)


def test_a_sign_in_method_is_off_for_guests_until_it_is_on(embedded: Instance, project: Project, user: str) -> None:
    method, guest = ProjectAuthMethodId.EMAIL_PASSWORD, Account(client(embedded))

    off = project.update_auth_method(method, False)
    assert [one.id for one in off.authmethods if not one.enabled] == [method]
    refused = refusal(guest.create_email_password_session, f"{user}@x.org", PASSWORD)
    assert refused == (501, "user_auth_method_unsupported")
    project.update_auth_method(method, True)
    assert all(one.enabled for one in project.get().authmethods)
    assert guest.create_email_password_session(f"{user}@x.org", PASSWORD).userid == user


def test_policies_of_sessions_hold_from_the_call_that_sets_them(
    embedded: Instance, project: Project, user: str
) -> None:
    users, account = Users(server(embedded)), Account(server(embedded))

    assert project.update_session_limit_policy(1).id == embedded.project
    sessions = [account.create_email_password_session(f"{user}@x.org", PASSWORD) for _ in range(2)]
    assert [one.id for one in users.list_sessions(user).sessions] == [sessions[1].id]
    assert project.update_session_duration_policy(DAY_S).id == embedded.project
    assert account.create_email_password_session(f"{user}@x.org", PASSWORD).expire < sessions[1].expire
    assert project.update_session_invalidation_policy(False).id == embedded.project
    users.update_password(user, OTHER)
    assert users.list_sessions(user).total == 1
    project.update_session_invalidation_policy(True)
    users.update_password(user, PASSWORD)
    assert users.list_sessions(user).total == 0


def test_no_more_users_sign_up_than_the_project_may_have(embedded: Instance, project: Project, user: str) -> None:
    guest, address = Account(client(embedded)), f"2{user}@x.org"

    assert project.update_user_limit_policy(1).id == embedded.project
    assert refusal(guest.create, ID.unique(), address, PASSWORD) == (400, "user_count_exceeded")
    project.update_user_limit_policy(None)
    assert guest.create(ID.unique(), address, PASSWORD).email == address


def test_members_see_of_one_another_what_the_project_says(embedded: Instance, project: Project, user: str) -> None:
    backend = Teams(server(embedded))
    team = backend.create(ID.unique(), "Court").id
    membership = backend.create_membership(team, ["judge"], user_id=user).id
    other = Users(server(embedded)).create(ID.unique(), name="Grace").id
    backend.create_membership(team, ["clerk"], user_id=other)
    member = Teams(with_session(embedded, str(Users(server(embedded)).create_session(other).secret)))

    assert member.get_membership(team, membership).username == ""
    assert project.update_membership_privacy_policy(user_name=True).id == embedded.project
    seen = member.get_membership(team, membership)
    assert (seen.username, seen.useremail) == ("Ada", "")
    project.update_membership_privacy_policy(user_name=False)
    assert member.get_membership(team, membership).username == ""


def test_pages_of_a_platform_may_call_until_it_is_deleted(embedded: Instance, project: Project) -> None:
    host = f"{ID.unique()}.example.com"

    def status(host: str) -> int:
        headers = {"X-Appwrite-Project": embedded.project, "Origin": f"https://{host}"}
        answer = requests.post(f"{embedded.endpoint}/account/sessions/anonymous", headers=headers, json={}, timeout=10)
        return answer.status_code

    assert status(host) == 403
    made = project.create_web_platform(ID.unique(), "Shop", host)
    assert (made.type.value, made.hostname, status(host)) == ("web", host, 201)
    moved = project.update_web_platform(made.id, "Shops", f"new-{host}")
    assert (moved.name, status(host), status(f"new-{host}")) == ("Shops", 403, 201)
    assert project.get_platform(made.id).hostname == f"new-{host}"
    assert made.id in {one.id for one in project.list_platforms([Query.equal("type", "web")]).platforms}
    project.delete_platform(made.id)
    assert status(f"new-{host}") == 403
    assert refusal(project.get_platform, made.id) == (404, "platform_not_found")


def test_a_key_may_what_its_scopes_say_until_it_is_deleted(embedded: Instance, project: Project) -> None:
    environ = os.environ | {"DAYPASS_REDIS_URL": embedded.redis_url}
    key = daypass(environ, "key", "create", "--project", embedded.project, "--name", "some")["key"]
    some = Users(client(embedded).set_key(key["secret"]))
    (id_,) = (one.id for one in project.list_keys().keys if one.name == "some")

    assert some.list().total >= 0
    changed = project.update_key(id_, "other", ["teams.read"])
    assert (changed.name, changed.scopes, changed.secret) == ("other", ["teams.read"], "")
    assert project.get_key(id_).scopes == ["teams.read"]
    assert refusal(some.list) == (401, "general_unauthorized_scope")
    project.update_key(id_, "other", ["users.read"])
    assert some.list().total >= 0
    project.delete_key(id_)
    assert refusal(some.list)[0] == 401
    assert refusal(project.get_key, id_) == (404, "key_not_found")
