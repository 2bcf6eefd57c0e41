"""Memberships: shown, their roles changed, ended; in force everywhere."""

from services.auth.deps import AuthDeps
from services.auth.people.operations.pace import Pace
from services.auth.people.store import users
from services.auth.teams.domain.teams import (
    Membership,
    check_member,
    check_owner,
)
from services.auth.teams.operations.teams import check_again, check_roles
from services.auth.teams.store import memberships as store
from services.auth.teams.store import teams
from shared.contracts import subjects
from shared.contracts.ids import MembershipId, ProjectId, TeamId, UserId
from shared.contracts.principal import Principal
from shared.contracts.reasons import Reason
from shared.guard.changing import Change, Changed, changing
from shared.guard.receipt import Receipt
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.page import Page
from shared.queries.lists import ListQuery
from shared.web.counts import Counts


async def get_membership(
    deps: AuthDeps, principal: Principal, *, team_id: TeamId, membership_id: MembershipId
) -> Membership:
    """Return a membership; raises `Refusal(TEAM_NOT_FOUND)`, `Refusal(MEMBERSHIP_NOT_FOUND)`."""
    check_member(principal, team_id)
    async with deps.pool.acquire() as connection:
        await teams.get_team(connection, principal.project_id, team_id)
        return found_membership(await store.find_membership(connection, principal.project_id, team_id, membership_id))


async def list_memberships(
    deps: AuthDeps, principal: Principal, *, team_id: TeamId, query: ListQuery, names_users: bool
) -> Page[Membership]:
    """Return a page of a team's memberships; raises `Refusal(TEAM_NOT_FOUND)`, or of a cursor.

    `names_users`: the caller is shown the ids of users, and may search them.
    """
    check_member(principal, team_id)
    async with deps.pool.acquire() as connection:
        await teams.get_team(connection, principal.project_id, team_id)
        return await store.list_memberships(connection, principal.project_id, team_id, query, names_users=names_users)


async def list_memberships_of(
    deps: AuthDeps, project_id: ProjectId, *, user_id: UserId, query: ListQuery
) -> Page[Membership]:
    """Return a page of a user's memberships; raises `Refusal(USER_NOT_FOUND)`, or of a cursor."""
    async with deps.pool.acquire() as connection:
        await users.get_user(connection, project_id, user_id)
        return await store.list_memberships_of(connection, project_id, user_id, query)


async def update_roles(
    deps: AuthDeps,
    principal: Principal,
    *,
    team_id: TeamId,
    membership_id: MembershipId,
    roles: list[str],
    counts: Counts | None,
) -> Changed[Membership]:
    """Replace a member's roles, in force everywhere on return.

    Raises `Refusal` (TEAM_NOT_FOUND, USER_UNAUTHORIZED, MEMBERSHIP_NOT_FOUND), `Unavailable`; and
    `Refusal(GENERAL_RATE_LIMIT_EXCEEDED)` for who gives roles all the time, but not for who takes them.
    """
    check_owner(principal, team_id)
    project_id = principal.project_id
    team = subjects.team(project_id, team_id)
    async with changing(deps, principal, Reason.MEMBERSHIP_ROLES, side_effect=True, settles=[team]) as change:
        connection = change.connection
        await teams.get_team(connection, project_id, team_id)
        known = found_membership(await store.find_membership(connection, project_id, team_id, membership_id))
        if not set(roles) < set(known.roles):
            await Pace(counts).step(project_id, principal.user_id, "roles")
        await users.lock_sign_in(connection, project_id, known.user_id)
        # Before the change: who takes the own role of owner still had it.
        await check_again(connection, principal, owns=team_id)
        await store.set_roles(connection, project_id, team_id, membership_id, list(dict.fromkeys(roles)))
        membership = found_membership(await store.find_membership(connection, project_id, team_id, membership_id))
        if not known.is_to_address:
            await check_roles(connection, project_id, known.user_id)
        revoke_roles(change, team_id, known.user_id)
    return Changed(membership, change.receipt)


async def delete_membership(
    deps: AuthDeps, principal: Principal, *, team_id: TeamId, membership_id: MembershipId
) -> Receipt | None:
    """End a membership: one's own or, as an owner or key, any member's; no replica knows its roles on return.

    Raises `Refusal` (TEAM_NOT_FOUND, TEAM_INVITE_NOT_FOUND, USER_UNAUTHORIZED), all of them once what was ended before
    is in force everywhere; `Unavailable`.
    """
    project_id = principal.project_id
    team = subjects.team(project_id, team_id)
    async with changing(deps, principal, Reason.MEMBERSHIP_DELETED, settles=[team]) as change:
        connection = change.connection
        known = await store.find_membership(connection, project_id, team_id, membership_id)
        is_own = await store.belongs_to(connection, project_id, membership_id, principal.user_id)
        if not is_own:
            check_member(principal, team_id)
            await teams.get_team(connection, project_id, team_id)
        if known is None:
            raise Refusal(ErrorType.TEAM_INVITE_NOT_FOUND)
        if not is_own:
            check_owner(principal, team_id)
        await check_again(connection, principal, owns="" if is_own else team_id)
        if not await store.delete_membership(connection, project_id, team_id, membership_id):
            raise Refusal(ErrorType.TEAM_INVITE_NOT_FOUND)
        revoke_roles(change, team_id, known.user_id)
    return change.receipt


def revoke_roles(change: Change, team_id: TeamId, user_id: UserId) -> None:
    """Name the team, and the user: what was remembered of who was no member rests on the user alone."""
    project_id = change.actor.project_id
    change.revoke(subjects.user(project_id, user_id), subjects.team(project_id, team_id))


def found_membership(membership: Membership | None) -> Membership:
    """Return a membership; raises `Refusal(MEMBERSHIP_NOT_FOUND)` where there is none."""
    if membership is None:
        raise Refusal(ErrorType.MEMBERSHIP_NOT_FOUND)
    return membership
