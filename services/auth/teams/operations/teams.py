"""Teams: made, shown, changed, deleted. Keys may do all of it, users what their roles in the team let them."""

from services.auth.deps import AuthDeps
from services.auth.people.domain.roles import check_number, roles_of
from services.auth.people.store import users
from services.auth.people.store.spent_ids import is_spent
from services.auth.projects.store.projects import hold_project
from services.auth.teams.domain.teams import OWNER, NewMembership, Team, check_member, check_owner
from services.auth.teams.store import memberships
from services.auth.teams.store import teams as store
from shared.contracts import subjects
from shared.contracts.grants import FindTeamGrants, FindTeamGrantsInFiles
from shared.contracts.ids import MembershipId, ProjectId, TeamId, UserId
from shared.contracts.principal import Principal
from shared.contracts.reasons import Reason
from shared.guard.changing import Changed, changing, confirm_pending, require_lease
from shared.guard.receipt import Receipt
from shared.kernel.clock import now
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.kernel.ids import UNIQUE, chosen_id, unique_id
from shared.kernel.page import Page
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery


async def create_team(
    deps: AuthDeps, principal: Principal, *, team_id: TeamId, name: str, roles: list[str]
) -> Changed[Team]:
    """Make a team. A user who does becomes its first member, with these roles and as owner; a key makes an empty one.

    A user gets no id that a deleted team had, or that a permission names. Raises `Refusal(TEAM_ALREADY_EXISTS)`,
    `Refusal` where the user would have too many roles, `Unavailable`, also where data does not answer.
    """
    project_id, user_id, is_chosen, team_id = (
        principal.project_id,
        principal.user_id,
        team_id != UNIQUE,
        chosen_id(team_id),
    )
    if not user_id:
        async with deps.pool.acquire() as connection, connection.transaction():
            await hold_project(connection, project_id, principal.project_incarnation)
            await store.insert_team(connection, project_id, team_id, name)
            return Changed(await store.get_team(connection, project_id, team_id), None)
    require_lease(deps.guard)  # before the request to data
    if is_chosen:
        await _check_unnamed(deps, principal, team_id)
    named = (subjects.user(project_id, user_id), subjects.team(project_id, team_id))
    async with changing(deps, principal, Reason.TEAM_CREATED, *named, side_effect=True) as change:
        await users.lock_sign_in(change.connection, project_id, user_id)
        await store.insert_team(change.connection, project_id, team_id, name)
        if is_chosen and await is_spent(change.connection, project_id, "team", team_id):
            raise Refusal(ErrorType.TEAM_ALREADY_EXISTS)
        await check_again(change.connection, principal)
        membership = NewMembership(
            project_id=project_id,
            id=MembershipId(unique_id()),
            team_id=team_id,
            user_id=user_id,
            roles=list(dict.fromkeys([*roles, OWNER])),
            joined_at=now(),
        )
        await memberships.insert_membership(change.connection, membership)
        await check_roles(change.connection, project_id, user_id)
        team = await store.get_team(change.connection, project_id, team_id)
    return Changed(team, change.receipt)


async def get_team(deps: AuthDeps, principal: Principal, *, team_id: TeamId) -> Team:
    """Return a team; raises `Refusal(TEAM_NOT_FOUND)`, also for who is no member."""
    check_member(principal, team_id)
    async with deps.pool.acquire() as connection:
        return await store.get_team(connection, principal.project_id, team_id)


async def list_teams(deps: AuthDeps, principal: Principal, *, query: ListQuery) -> Page[Team]:
    """Return a page of the teams that the caller may see; raises `Refusal` of a cursor."""
    async with deps.pool.acquire() as connection:
        return await store.list_teams(connection, principal.project_id, principal.user_id, query)


async def update_name(deps: AuthDeps, principal: Principal, *, team_id: TeamId, name: str) -> Team:
    """Rename a team; raises `Refusal(TEAM_NOT_FOUND)`, `Refusal(USER_UNAUTHORIZED)`, `Unavailable`."""
    return await _update(deps, principal, team_id, store.Changes(name=name))


async def update_prefs(deps: AuthDeps, principal: Principal, *, team_id: TeamId, prefs: str) -> Team:
    """Replace a team's preferences, a JSON object; else as `update_name`."""
    return await _update(deps, principal, team_id, store.Changes(prefs=prefs))


async def delete_team(deps: AuthDeps, principal: Principal, *, team_id: TeamId) -> Receipt | None:
    """Delete a team: when this returns, no user holds any of its roles.

    Raises `Refusal(TEAM_NOT_FOUND)`, for a team deleted before once that is in force everywhere;
    `Refusal(USER_UNAUTHORIZED)`, `Unavailable`.
    """
    team = subjects.team(principal.project_id, team_id)
    async with changing(deps, principal, Reason.TEAM_DELETED, team) as change:
        check_owner(principal, team_id)
        await check_again(change.connection, principal, owns=team_id)
        await store.delete_team(change.connection, principal.project_id, team_id)
    return change.receipt


async def check_again(connection: Connection, principal: Principal, *, owns: str = "") -> None:
    """Check in the transaction of a change that the user who calls still stands, and still owns this team, if one.

    By the database and not by the guard: the feed names a whole team when one member comes or goes, and that must not
    fail what the owner does at the same moment. Raises `Unavailable`; the same call, repeated, gets the refusal.
    Of a key, check that its project is the same: raises `Refusal(PROJECT_NOT_FOUND)`.
    """
    if not principal.user_id:
        await hold_project(connection, principal.project_id, principal.project_incarnation)
    elif not await store.still_stands(connection, principal, owns=owns):
        raise Unavailable("The caller's rights have changed. Try again.")


async def check_roles(connection: Connection, project_id: ProjectId, user_id: UserId) -> None:
    """Raise `Refusal(GENERAL_ARGUMENT_INVALID)` where a user has more roles by now than one may have."""
    user = await users.get_user(connection, project_id, user_id)
    held = await memberships.list_held(connection, project_id, user_id)
    check_number(roles_of(user_id, is_verified=True, labels=user.labels, memberships=held))


async def _check_unnamed(deps: AuthDeps, principal: Principal, team_id: TeamId) -> None:
    """Raise `Refusal(TEAM_ALREADY_EXISTS)` where a team is there already, or permissions would be waiting for it."""
    async with deps.pool.acquire() as connection:
        is_taken = await store.find_team(connection, principal.project_id, team_id) is not None
    if not is_taken:
        incarnation = principal.project_incarnation
        is_taken = (await deps.bus.ask(FindTeamGrants(incarnation=incarnation, team=team_id))).is_named or (
            await deps.bus.ask(FindTeamGrantsInFiles(incarnation=incarnation, team=team_id))
        ).is_named
    if is_taken:
        await confirm_pending(deps, subjects.team(principal.project_id, team_id))
        raise Refusal(ErrorType.TEAM_ALREADY_EXISTS)


async def _update(deps: AuthDeps, principal: Principal, team_id: TeamId, changes: store.Changes) -> Team:
    check_owner(principal, team_id)
    async with deps.pool.acquire() as connection, connection.transaction():
        team = await store.update_team(connection, principal.project_id, team_id, **changes)
        await check_again(connection, principal, owns=team_id)
    return team
