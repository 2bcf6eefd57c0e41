"""What changes about a caller is in force on every replica, as soon as the feed has told it."""

import pytest

from tests.accounts import Headers, secret_of
from tests.eventually import eventually
from tests.integration.data.api import Api

REPLICAS = (0, 1)


async def change(api: Api, session: Headers, now: Headers | None) -> None:
    """Let a session be what another one is, or gone (None); and tell it."""
    accounts = api.accounts
    if now is None:
        await accounts.sign_out(session)
        return
    subject = accounts.session_subject(session)
    accounts.sessions[secret_of(session).digest()] = accounts.sessions[secret_of(now).digest()]
    await accounts.tell(subject)


@pytest.mark.parametrize("replica", REPLICAS)
@pytest.mark.check("data 26")
async def test_a_member_who_leaves_a_team_no_longer_sees_what_only_the_team_may_see(api: Api, replica: int) -> None:
    by_row = await api.new_table(rowSecurity=True)
    by_table = await api.new_table(permissions=['read("team:crew")'])
    row = await by_row.new_row(None, 'read("team:crew")', 'update("team:crew/pilot")')
    ada = api.accounts.sign_in("ada", memberships=[("m-ada", "crew", ["pilot"])])
    assert (await by_row.get(row, ada, replica=replica)).said == (200, "")
    assert (await by_row.list(caller=ada, replica=replica)).json["total"] == 1
    assert (await by_table.list(caller=ada, replica=replica)).said == (200, "")

    await change(api, ada, api.accounts.sign_in("ada"))

    async def shown() -> tuple[int, str]:
        return (await by_row.get(row, ada, replica=replica)).said

    await eventually(shown, (404, "row_not_found"))
    assert (await by_row.list(caller=ada, replica=replica)).json == {"total": 0, "rows": []}
    assert (await by_table.list(caller=ada, replica=replica)).said == (401, "user_unauthorized")
    changed = await by_row.update(row, {"data": {"text": "b"}}, ada, replica=replica)
    assert changed.said == (404, "row_not_found")


@pytest.mark.parametrize("replica", REPLICAS)
@pytest.mark.check("data 6")
async def test_a_user_who_has_signed_out_sees_what_guests_see(api: Api, replica: int) -> None:
    table = await api.new_table(permissions=['read("users")'])
    ada = api.accounts.sign_in("ada")
    assert (await table.list(caller=ada, replica=replica)).said == (200, "")

    await change(api, ada, None)

    async def shown() -> tuple[int, str]:
        return (await table.list(caller=ada, replica=replica)).said

    await eventually(shown, (401, "user_unauthorized"))
