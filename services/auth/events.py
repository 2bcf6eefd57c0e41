"""What auth answers on the bus: one line each, calling an operation."""

import asyncio

from services.auth.deps import AuthDeps
from services.auth.instance.operations.doctor import examine_deployment
from services.auth.lists.domain.list_queries import MOST_NUMBER, ListQuery
from services.auth.people.domain.records import NewUser, Session, User
from services.auth.people.operations import idle, sessions, users
from services.auth.principals.operations import principals
from services.auth.projects.domain.keys import Key
from services.auth.projects.domain.projects import ProjectChange
from services.auth.projects.operations import keys, projects
from services.auth.revocations.operations import revocations
from services.auth.teams.operations.grantees import examine_grantees
from shared.contracts import administration as admin
from shared.contracts.dead_letters import DeadLetters, ListDeadLetters, RetryDeadLetters
from shared.contracts.findings import ExamineDeployment, Findings
from shared.contracts.principal import Project
from shared.contracts.requests import (
    Done,
    FindSession,
    FoundSession,
    ResolvedPrincipal,
    ResolvedProject,
    ResolveJwt,
    ResolveKey,
    ResolveProject,
    ResolveSession,
    ResolveUser,
    SessionsUsed,
)
from shared.contracts.revocations import (
    ListRevocations,
    RevocationRecord,
    RevocationRecords,
    RevokedJwt,
    RevokeJwt,
    ShowRevocation,
)
from shared.guard import changing
from shared.guard.changing import command_line
from shared.guard.receipt import Receipt
from shared.kernel.clock import wire_date
from shared.messaging.bus import Handlers
from shared.messaging.dead_letters import list_dead_letters, retry_dead_letters
from shared.messaging.outbox import StoredReceipt
from shared.postgres.pool import Pool

CLI = "cli"
"""Who asks on the bus for a change: the command line."""


def principal_lane(pool: Pool) -> Handlers:
    """Return the handlers of what guards ask, and whoever explains what they let pass."""

    async def on_session(asked: ResolveSession) -> ResolvedPrincipal:
        return await principals.resolve_session(pool, asked)

    async def on_jwt(asked: ResolveJwt) -> ResolvedPrincipal:
        return await principals.resolve_jwt(pool, asked)

    async def on_key(asked: ResolveKey) -> ResolvedPrincipal:
        return await principals.resolve_key(pool, asked)

    async def on_user(asked: ResolveUser) -> ResolvedPrincipal:
        return await principals.resolve_user(pool, asked)

    async def on_project(asked: ResolveProject) -> ResolvedProject:
        return await principals.resolve_project(pool, asked.project)

    async def on_used(asked: SessionsUsed) -> Done:
        await idle.mark_used(pool, asked.sessions)
        return Done()

    return {
        SessionsUsed: on_used,
        ResolveSession: on_session,
        ResolveJwt: on_jwt,
        ResolveKey: on_key,
        ResolveUser: on_user,
        ResolveProject: on_project,
    }


def general_lane(deps: AuthDeps) -> Handlers:
    """Return the handlers of what token asks."""

    async def on_find_session(asked: FindSession) -> FoundSession:
        return await sessions.find_session(deps, asked.project, user_id=asked.user, session_id=asked.session)

    async def on_revoke_jwt(asked: RevokeJwt) -> RevokedJwt:
        ticket = await revocations.revoke_jwt(deps, jti=asked.jti, exp=asked.exp, by=asked.by)
        return RevokedJwt(ticket=str(ticket))

    return {FindSession: on_find_session, RevokeJwt: on_revoke_jwt}


def admin_lane(deps: AuthDeps) -> Handlers:
    """Return the handlers of what the command line asks."""

    async def on_list_dead_letters(_: ListDeadLetters) -> DeadLetters:
        return await list_dead_letters(deps.redis)

    async def on_retry_dead_letters(asked: RetryDeadLetters) -> DeadLetters:
        return await retry_dead_letters(deps.redis, service=asked.service, entry=asked.entry)

    async def on_examine(_: ExamineDeployment) -> Findings:
        found, grantees = await asyncio.gather(
            examine_deployment(deps.pool, deps.redis, deps.deployment), examine_grantees(deps.pool, deps.bus)
        )
        return Findings(findings=(*found, grantees))

    own: Handlers = {
        ListDeadLetters: on_list_dead_letters,
        RetryDeadLetters: on_retry_dead_letters,
        ExamineDeployment: on_examine,
    }
    return {**own, **_revocations(deps), **_projects(deps), **_keys(deps), **_users(deps), **_sessions(deps)}


def _revocations(deps: AuthDeps) -> Handlers:
    async def on_list(asked: ListRevocations) -> RevocationRecords:
        found = await revocations.list_revocations(
            deps, subject=asked.subject, is_pending=asked.is_pending, limit=asked.limit
        )
        return RevocationRecords(revocations=tuple(map(_revocation_record, found)))

    async def on_show(asked: ShowRevocation) -> RevocationRecords:
        found = await revocations.get_revocation(deps, asked.number)
        return RevocationRecords(revocations=(_revocation_record(found),))

    return {ListRevocations: on_list, ShowRevocation: on_show}


def _projects(deps: AuthDeps) -> Handlers:
    async def on_create(asked: admin.CreateProject) -> admin.ProjectRecords:
        actor = command_line(asked.id, asked.ticket)
        created = projects.create_project(deps, actor, name=asked.name, origins=asked.origins)
        return await of(asked.id, await changing.once(deps, actor, created))

    async def on_list(_: admin.ListProjects) -> admin.ProjectRecords:
        return _project_records(await projects.list_projects(deps))

    async def on_update(asked: admin.UpdateProject) -> admin.ProjectRecords:
        actor = command_line(asked.id, asked.ticket)
        project_change = ProjectChange(
            name=asked.name,
            origins=asked.origins,
            session_duration_s=asked.session_duration_s,
            session_limit=asked.session_limit,
            session_idle_s=asked.session_idle_s,
            recent_sign_in_s=asked.recent_sign_in_s,
            session_invalidation=asked.session_invalidation,
            user_limit=asked.user_limit,
            auth_methods=asked.auth_methods,
            membership_fields=asked.membership_fields,
        )
        updated = projects.update_project(deps, actor, project_change=project_change)
        return await of(asked.id, await changing.once(deps, actor, updated))

    async def on_delete(asked: admin.DeleteProject) -> admin.ProjectRecords:
        actor = command_line(asked.id, asked.ticket)
        return _project_records([], await changing.once(deps, actor, projects.delete_project(deps, actor)))

    async def of(id_: str, receipt: Receipt | None) -> admin.ProjectRecords:
        return _project_records([(await projects.get_project(deps, id_)).project], receipt)

    return {
        admin.CreateProject: on_create,
        admin.ListProjects: on_list,
        admin.UpdateProject: on_update,
        admin.DeleteProject: on_delete,
    }


def _keys(deps: AuthDeps) -> Handlers:
    async def on_create(asked: admin.CreateKey) -> admin.KeyRecords:
        actor = command_line(asked.project, asked.ticket)
        new = keys.NewKey(asked.id, asked.secret_digest, asked.name, asked.scopes, asked.expire)
        await changing.once(deps, actor, keys.create_key(deps, actor, new=new))
        return await of(asked.project, asked.id)

    async def on_list(asked: admin.ListKeys) -> admin.KeyRecords:
        every = ListQuery(limit=MOST_NUMBER, total=False)
        _, found = await keys.list_keys(deps, asked.project, query=every)
        return admin.KeyRecords(keys=tuple(_key_record(key) for key in found))

    async def on_update(asked: admin.UpdateKey) -> admin.KeyRecords:
        actor = command_line(asked.project, asked.ticket)
        key_change = keys.KeyChange(name=asked.name, scopes=asked.scopes, expire=asked.expire)
        updated = keys.update_key(deps, actor, key_id=asked.id, key_change=key_change)
        return await of(asked.project, asked.id, await changing.once(deps, actor, updated))

    async def on_delete(asked: admin.DeleteKey) -> admin.KeyRecords:
        actor = command_line(asked.project, asked.ticket)
        receipt = await changing.once(deps, actor, keys.delete_key(deps, actor, key_id=asked.id))
        return admin.KeyRecords(keys=(), receipt=_header(receipt))

    async def of(project: str, id_: str, receipt: Receipt | None = None) -> admin.KeyRecords:
        key = await keys.get_key(deps, project, key_id=id_)
        return admin.KeyRecords(keys=(_key_record(key),), receipt=_header(receipt))

    return {
        admin.CreateKey: on_create,
        admin.ListKeys: on_list,
        admin.UpdateKey: on_update,
        admin.DeleteKey: on_delete,
    }


def _users(deps: AuthDeps) -> Handlers:
    async def on_create(asked: admin.CreateUser) -> admin.UserRecords:
        project = (await projects.get_project(deps, asked.project)).project
        new = NewUser(id=asked.id, name=asked.name, email=asked.email, password_hash=asked.password_hash)
        return _user_records([await users.create_user_once(deps, project, new=new)])

    async def on_list(asked: admin.ListUsers) -> admin.UserRecords:
        await projects.get_project(deps, asked.project)
        query = ListQuery(search=asked.search, limit=asked.limit, total=False)
        return _user_records((await users.list_users(deps, asked.project, query=query))[1])

    async def on_show(asked: admin.ShowUser) -> admin.UserRecords:
        return _user_records([await users.get_user(deps, asked.project, user_id=asked.id)])

    async def on_set_status(asked: admin.SetUserStatus) -> admin.UserRecords:
        actor = command_line(asked.project, asked.ticket)
        updated = users.update_status(deps, actor, user_id=asked.id, enabled=asked.enabled)
        receipt = await changing.once(deps, actor, updated)
        return _user_records([await users.get_user(deps, asked.project, user_id=asked.id)], receipt)

    return {
        admin.CreateUser: on_create,
        admin.ListUsers: on_list,
        admin.ShowUser: on_show,
        admin.SetUserStatus: on_set_status,
    }


def _sessions(deps: AuthDeps) -> Handlers:
    async def on_list(asked: admin.ListSessions) -> admin.SessionRecords:
        return _session_records(await sessions.list_sessions(deps, asked.project, user_id=asked.user))

    async def on_revoke(asked: admin.RevokeSession) -> admin.SessionRecords:
        actor = command_line(asked.project, asked.ticket)
        if asked.id:
            deleted = sessions.delete_session(deps, actor, user_id=asked.user, session_id=asked.id)
        else:
            deleted = sessions.delete_sessions(deps, actor, user_id=asked.user)
        return _session_records([], await changing.once(deps, actor, deleted))

    async def on_revoke_all(asked: admin.RevokeAllSessions) -> admin.SessionRecords:
        actor = command_line(asked.project, asked.ticket)
        return _session_records([], await changing.once(deps, actor, sessions.delete_sessions_of_project(deps, actor)))

    return {admin.ListSessions: on_list, admin.RevokeSession: on_revoke, admin.RevokeAllSessions: on_revoke_all}


def _header(receipt: Receipt | None) -> str:
    return "" if receipt is None else receipt.header()


def _project_records(found: list[Project], receipt: Receipt | None = None) -> admin.ProjectRecords:
    records = tuple(
        admin.ProjectRecord(
            id=one.id,
            name=one.name,
            incarnation=one.incarnation,
            origins=one.origins,
            session_duration_s=one.session_duration_s,
            session_limit=one.session_limit,
            session_idle_s=one.session_idle_s,
            recent_sign_in_s=one.recent_sign_in_s,
            session_invalidation=one.session_invalidation,
            user_limit=one.user_limit,
            disabled_auth_methods=tuple(sorted(one.disabled_auth_methods)),
            shown_membership_fields=tuple(sorted(one.shown_membership_fields)),
        )
        for one in found
    )
    return admin.ProjectRecords(projects=records, receipt=_header(receipt))


def _key_record(key: Key) -> admin.KeyRecord:
    return admin.KeyRecord(id=key.id, name=key.name, scopes=tuple(key.scopes), expire=wire_date(key.expires_at))


def _revocation_record(found: StoredReceipt) -> RevocationRecord:
    return RevocationRecord(
        number=found.number or 0,
        state="pending" if found.answered_at is None else "confirmed",
        subjects=tuple(found.subjects),
        reason=found.reason,
        asked_by=found.asked_by,
        committed_at=wire_date(found.committed_at),
        answered_at=wire_date(found.answered_at),
        acked=found.acked or 0,
        fenced=found.fenced or 0,
        milliseconds=round(found.milliseconds or 0.0, 1),
    )


def _user_records(found: list[User], receipt: Receipt | None = None) -> admin.UserRecords:
    records = tuple(
        admin.UserRecord(
            id=user.id,
            name=user.name,
            email=user.email or "",
            status=user.enabled,
            labels=tuple(user.labels),
            created_at=wire_date(user.created_at),
        )
        for user in found
    )
    return admin.UserRecords(users=records, receipt=_header(receipt))


def _session_records(found: list[Session], receipt: Receipt | None = None) -> admin.SessionRecords:
    records = tuple(
        admin.SessionRecord(
            id=session.id,
            provider=session.provider,
            ip=session.ip,
            created_at=wire_date(session.created_at),
            expire=wire_date(session.expires_at),
        )
        for session in found
    )
    return admin.SessionRecords(sessions=records, receipt=_header(receipt))
