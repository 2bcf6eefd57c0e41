"""Each field that queries of a list may name has its SQL, and nothing else has."""

from collections.abc import Mapping

import pytest

from services.auth.people.domain.users import USER_LIST_FIELDS
from services.auth.people.store import users
from services.auth.projects.domain.keys import KEY_LIST_FIELDS
from services.auth.projects.domain.projects import PLATFORM_LIST_FIELDS
from services.auth.projects.store import keys, platforms
from services.auth.teams.domain.teams import MEMBERSHIP_LIST_FIELDS, TEAM_LIST_FIELDS
from services.auth.teams.store import memberships, teams
from shared.postgres.pages import Listing
from shared.queries.fields import Field


@pytest.mark.parametrize(
    ("fields", "listing"),
    [
        (USER_LIST_FIELDS, users.ALL),
        (KEY_LIST_FIELDS, keys.LISTING),
        (PLATFORM_LIST_FIELDS, platforms.LISTING),
        (TEAM_LIST_FIELDS, teams.ALL),
        (MEMBERSHIP_LIST_FIELDS, memberships.OF_TEAM),
    ],
    ids=["users", "keys", "platforms", "teams", "memberships"],
)
def test_each_field_of_a_list_has_its_sql(fields: Mapping[str, Field], listing: Listing) -> None:
    assert sorted(fields) == sorted(listing.attributes)
