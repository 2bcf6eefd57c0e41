"""Memberships: the places of users in teams."""

import asyncpg
import msgspec

from services.auth.people.domain.records import User
from services.auth.people.domain.roles import Held
from services.auth.people.store.rows import USER, user
from services.auth.revocations.store.invitations import OF_USER, of_user
from services.auth.teams.domain.teams import Invitation, Membership, NewMembership
from shared.contracts.ids import MembershipId, ProjectId, TeamId, UserId
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.page import Page
from shared.postgres.pages import Listing
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery

MEMBERSHIP = """
    memberships.project AS project_id, memberships.id, memberships.team_id, teams.name AS team_name,
    coalesce(users.id, memberships.user_id) AS user_id, coalesce(users.name, memberships.invited_name) AS user_name,
    coalesce(users.email, CASE WHEN users.id IS NULL AND strpos(sent_to, '@') > 0 THEN sent_to END, '') AS user_email,
    coalesce(users.phone, CASE WHEN users.id IS NULL AND strpos(sent_to, '@') = 0 THEN sent_to END, '') AS user_phone,
    users.accessed_at AS user_accessed_at, memberships.roles, memberships.confirmed,
    memberships.invited_name IS NOT NULL AS is_to_address, memberships.invited_at, memberships.joined_at,
    memberships.created_at, memberships.updated_at
"""
_IN_TEAMS = """
    auth.memberships JOIN auth.teams ON teams.project = memberships.project AND teams.id = memberships.team_id
"""
_JOINED = f"""
    {_IN_TEAMS} LEFT JOIN auth.users ON users.project = memberships.project AND users.id = memberships.member_id
"""


_TO_USER = of_user("invited.email, invited.phone")
"""The ids of the memberships of a user ($2), and of invitations to the user's addresses, proven or not."""

_INSERT = """
    INSERT INTO auth.memberships (
        project, id, user_id, roles, confirmed, joined_at, secret_digest, sent_to, invited_name, team_id
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_INVITE_AGAIN = """
    UPDATE auth.memberships
    SET user_id = $3, roles = $4, confirmed = $5, joined_at = $6, secret_digest = $7, sent_to = $8, invited_name = $9,
        invited_at = now(), updated_at = now()
    WHERE project = $1 AND id = $2
"""
_GET = f"SELECT {MEMBERSHIP} FROM {_JOINED} WHERE memberships.project = $1 AND team_id = $2 AND memberships.id = $3"
_OF_USER = f"""
    SELECT {MEMBERSHIP} FROM {_IN_TEAMS} JOIN auth.users ON users.project = memberships.project AND users.id = $2
    WHERE memberships.project = $1 AND memberships.team_id = $3 AND memberships.id IN ({_TO_USER})
    ORDER BY memberships.confirmed DESC, memberships.member_id NULLS LAST LIMIT 1
"""
_TO_ADDRESS = f"""
    SELECT {MEMBERSHIP} FROM {_JOINED}
    WHERE memberships.project = $1 AND memberships.team_id = $2 AND (
        memberships.invited_name IS NOT NULL AND memberships.sent_to = $3
        OR memberships.confirmed AND $3 IN (users.email, users.phone)
    )
    ORDER BY memberships.confirmed DESC LIMIT 1
"""
_BELONGS_TO = f"""
    SELECT WHERE $3 IN ({OF_USER})
"""
_INVITATION = """
    SELECT id, team_id, user_id, confirmed, secret_digest, sent_to, invited_name, invited_at
    FROM auth.memberships WHERE project = $1 AND id = $2
"""
_CONFIRM = """
    UPDATE auth.memberships
    SET user_id = $3, invited_name = NULL, confirmed = true, joined_at = now(), updated_at = now()
    WHERE project = $1 AND id = $2 AND NOT confirmed AND secret_digest = $4
"""
_ROLES = "UPDATE auth.memberships SET roles = $4, updated_at = now() WHERE project = $1 AND team_id = $2 AND id = $3"
_DELETE = "DELETE FROM auth.memberships WHERE project = $1 AND team_id = $2 AND id = $3"
_DELETE_PENDING = """
    DELETE FROM auth.memberships
    WHERE project = $1 AND team_id = $2 AND member_id = $3 AND NOT confirmed AND id <> $4
"""
_HELD = """
    SELECT id, team_id, roles FROM auth.memberships WHERE project = $1 AND user_id = $2 AND confirmed
"""
_BY_PHONE = f"SELECT {USER} FROM auth.users WHERE project = $1 AND phone = $2"
_LOCK_BY_ADDRESS = f"SELECT {USER} FROM auth.users WHERE project = $1 AND $2 IN (email, phone) FOR UPDATE"
OF_TEAM = Listing(
    columns=MEMBERSHIP,
    tables=_JOINED,
    where="memberships.project = $1 AND memberships.team_id = $2",
    searched="concat_ws(' ', memberships.id, memberships.user_id)",
    table="memberships",
    attributes={
        "$id": "memberships.id",
        "$sequence": "memberships.sequence",
        "$createdAt": "memberships.created_at",
        "$updatedAt": "memberships.updated_at",
        "userId": "coalesce(users.id, memberships.user_id)",
        "teamId": "memberships.team_id",
        "invited": "memberships.invited_at",
        "joined": "memberships.joined_at",
        "confirm": "memberships.confirmed",
        "roles": "memberships.roles",
    },
)
_OF_TEAM_UNNAMED = msgspec.structs.replace(OF_TEAM, searched="memberships.id")
_ALL_OF_USER = msgspec.structs.replace(
    OF_TEAM,
    tables=f"{_IN_TEAMS} JOIN auth.users ON users.project = memberships.project AND users.id = $2",
    where=f"memberships.project = $1 AND memberships.id IN ({OF_USER})",
    searched="concat_ws(' ', memberships.id, users.id)",
)


async def insert_membership(connection: Connection, new: NewMembership) -> None:
    """Make a membership; raises `Refusal(TEAM_NOT_FOUND)`, `Refusal(RESOURCE_ALREADY_EXISTS)`."""
    try:
        await connection.execute(_INSERT, *_values(new), new.team_id)
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.RESOURCE_ALREADY_EXISTS) from error
    except asyncpg.ForeignKeyViolationError as error:
        raise Refusal(ErrorType.TEAM_NOT_FOUND) from error


async def invite_again(connection: Connection, new: NewMembership) -> None:
    """Put a new invitation in place of one that is pending, confirmed where it has been joined."""
    await connection.execute(_INVITE_AGAIN, *_values(new))


async def find_membership(
    connection: Connection, project_id: ProjectId, team_id: TeamId, id_: MembershipId
) -> Membership | None:
    """Return a membership of a team."""
    return _membership_or_none(await connection.fetchrow(_GET, project_id, team_id, id_))


async def find_membership_of(
    connection: Connection, project_id: ProjectId, team_id: TeamId, user_id: UserId
) -> Membership | None:
    """Return a user's membership of a team: one that is confirmed, else an invitation of the user or to an address."""
    return _membership_or_none(await connection.fetchrow(_OF_USER, project_id, user_id, team_id))


async def find_membership_to(
    connection: Connection, project_id: ProjectId, team_id: TeamId, address: str
) -> Membership | None:
    """Return the confirmed membership of the user who has an address, else an invitation to the address."""
    return _membership_or_none(await connection.fetchrow(_TO_ADDRESS, project_id, team_id, address))


async def belongs_to(connection: Connection, project_id: ProjectId, id_: MembershipId, user_id: UserId) -> bool:
    """Return whether a membership is a user's, or an invitation to an address that the user has."""
    return await connection.fetchrow(_BELONGS_TO, project_id, user_id, id_) is not None


async def find_invitation(connection: Connection, project_id: ProjectId, id_: MembershipId) -> Invitation | None:
    """Return what proves an invitation, of whatever team."""
    row = await connection.fetchrow(_INVITATION, project_id, id_)
    return None if row is None else Invitation(**dict(row))


async def list_memberships(
    connection: Connection, project_id: ProjectId, team_id: TeamId, query: ListQuery, *, names_users: bool
) -> Page[Membership]:
    """Return a page of the memberships of a team; raises as `Listing.page`.

    `names_users`: the ids of users are searched, too.
    """
    listing = OF_TEAM if names_users else _OF_TEAM_UNNAMED
    return await listing.page(connection, query, [project_id, team_id], _membership)


async def list_memberships_of(
    connection: Connection, project_id: ProjectId, user_id: UserId, query: ListQuery
) -> Page[Membership]:
    """Return a page of the memberships of a user; raises as `Listing.page`."""
    return await _ALL_OF_USER.page(connection, query, [project_id, user_id], _membership)


async def confirm_membership(
    connection: Connection, project_id: ProjectId, id_: MembershipId, *, user_id: UserId, secret_digest: bytes
) -> bool:
    """Let a user accept an invitation; False where it is gone, accepted, or replaced by one with another secret."""
    return await connection.execute(_CONFIRM, project_id, id_, user_id, secret_digest) == "UPDATE 1"


async def delete_pending(
    connection: Connection, project_id: ProjectId, team_id: TeamId, user_id: UserId, *, kept: MembershipId
) -> None:
    """Delete a user's pending membership of a team, unless it is the one to be kept."""
    await connection.execute(_DELETE_PENDING, project_id, team_id, user_id, kept)


async def set_roles(
    connection: Connection, project_id: ProjectId, team_id: TeamId, id_: MembershipId, roles: list[str]
) -> bool:
    """Replace the roles of a membership; False where it is gone."""
    return await connection.execute(_ROLES, project_id, team_id, id_, roles) == "UPDATE 1"


async def delete_membership(connection: Connection, project_id: ProjectId, team_id: TeamId, id_: MembershipId) -> bool:
    """Delete a membership; False where it is gone."""
    return await connection.execute(_DELETE, project_id, team_id, id_) == "DELETE 1"


async def list_held(connection: Connection, project_id: ProjectId, user_id: UserId) -> list[Held]:
    """Return the confirmed memberships of a user."""
    rows = await connection.fetch(_HELD, project_id, user_id)
    return [Held(row["id"], row["team_id"], row["roles"]) for row in rows]


async def lock_user_by_address(connection: Connection, project_id: ProjectId, address: str) -> User | None:
    """Return a user by e-mail address or phone number, whom no other transaction changes until this one ends."""
    row = await connection.fetchrow(_LOCK_BY_ADDRESS, project_id, address)
    return None if row is None else user(row)


async def find_user_by_phone(connection: Connection, project_id: ProjectId, phone: str) -> User | None:
    """Return a user by phone number."""
    row = await connection.fetchrow(_BY_PHONE, project_id, phone)
    return None if row is None else user(row)


def _membership_or_none(row: asyncpg.Record | None) -> Membership | None:
    return None if row is None else _membership(row)


def _membership(row: asyncpg.Record) -> Membership:
    return Membership(**dict(row))


def _values(new: NewMembership) -> tuple[object, ...]:
    confirmed, joined_at = new.joined_at is not None, new.joined_at
    proof = (new.secret_digest, new.sent_to, new.invited_name)
    return (new.project_id, new.id, new.user_id, new.roles, confirmed, joined_at, *proof)
