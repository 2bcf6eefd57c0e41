"""Grants: what auth asks data and storage of the roles that permissions name."""

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Literal, get_args

import msgspec

from shared.contracts.requests import Request
from shared.kernel.ids import ID_PATTERN

Id = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
Incarnation = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""Of a project; as PostgreSQL's bigint."""


class TeamGrants(msgspec.Struct, frozen=True, kw_only=True):
    """Whether any permission names a team."""

    is_named: bool


class FindTeamGrants(Request[TeamGrants], frozen=True, kw_only=True):
    """`grants.find_team`: does any permission of a table or row of a project name this team, or a role in it?"""

    TYPE: ClassVar[str] = "grants.find_team"
    SERVICE: ClassVar[str] = "data"
    ANSWER: ClassVar[type[msgspec.Struct]] = TeamGrants

    incarnation: Incarnation
    team: Id


class FindTeamGrantsInFiles(Request[TeamGrants], frozen=True, kw_only=True):
    """`grants.find_team_in_files`: does any permission of a bucket or file name this team, or a role in it?"""

    TYPE: ClassVar[str] = "grants.find_team_in_files"
    SERVICE: ClassVar[str] = "storage"
    ANSWER: ClassVar[type[msgspec.Struct]] = TeamGrants

    incarnation: Incarnation
    team: Id


GranteeKind = Literal["team", "user", "member"]
GRANTEE_KINDS: tuple[GranteeKind, ...] = get_args(GranteeKind)


class Grantee(msgspec.Struct, frozen=True, kw_only=True):
    """Whom permissions name."""

    incarnation: Incarnation
    kind: GranteeKind
    id: Id


class Grantees(msgspec.Struct, frozen=True, kw_only=True):
    """Some of all whom permissions name; not `is_complete`: there are more."""

    grantees: tuple[Grantee, ...]
    is_complete: bool


class ListGrantees(Request[Grantees], frozen=True, kw_only=True):
    """`grants.list`: whom do permissions name, in any project? At most `limit`, each once."""

    TYPE: ClassVar[str] = "grants.list"
    SERVICE: ClassVar[str] = "data"
    ANSWER: ClassVar[type[msgspec.Struct]] = Grantees

    limit: int


class ListGranteesInFiles(Request[Grantees], frozen=True, kw_only=True):
    """`grants.list_in_files`: whom do permissions of buckets and files name? At most `limit`, each once."""

    TYPE: ClassVar[str] = "grants.list_in_files"
    SERVICE: ClassVar[str] = "storage"
    ANSWER: ClassVar[type[msgspec.Struct]] = Grantees

    limit: int


def grantees_in(roles: Iterable[tuple[int, str]]) -> Iterator[Grantee]:
    """Yield whom roles name, each with the incarnation of its project; roles without an id name nobody."""
    for incarnation, role in roles:
        kind, _, rest = role.partition(":")
        for known in GRANTEE_KINDS:
            if kind == known:
                yield Grantee(incarnation=incarnation, kind=known, id=rest.partition("/")[0])
