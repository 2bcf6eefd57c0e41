"""Requests of the command line to auth about teams. Dates are as on the wire."""

from typing import ClassVar

import msgspec

from shared.contracts.administration import Asked
from shared.contracts.ids import MembershipId, ProjectId, TeamId, UserId


class TeamRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A team; `total` is the number of its confirmed members."""

    id: TeamId
    name: str
    total: int
    created_at: str


class MembershipRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A user's place in a team; an invitation until it is `confirmed`, and `joined` is empty until then."""

    id: MembershipId
    user_id: UserId
    name: str
    email: str
    roles: tuple[str, ...]
    confirmed: bool
    invited: str
    joined: str


class TeamRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Teams of a project; of a requested one, its memberships too."""

    teams: tuple[TeamRecord, ...]
    memberships: tuple[MembershipRecord, ...] = ()


class ListTeams(Asked[TeamRecords], frozen=True, kw_only=True):
    """`team.list`: those that `search` finds, at most `limit`."""

    TYPE: ClassVar[str] = "team.list"
    ANSWER: ClassVar[type[msgspec.Struct]] = TeamRecords

    project_id: ProjectId = msgspec.field(name="project")
    search: str = ""
    limit: int = 100


class ShowTeam(Asked[TeamRecords], frozen=True, kw_only=True):
    """`team.show`: a team, and at most `limit` of its memberships. Refused with `team_not_found`."""

    TYPE: ClassVar[str] = "team.show"
    ANSWER: ClassVar[type[msgspec.Struct]] = TeamRecords

    project_id: ProjectId = msgspec.field(name="project")
    id: TeamId
    limit: int = 100
