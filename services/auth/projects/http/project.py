"""The project service: the project itself, its auth methods and policies. What is switched holds everywhere at once."""

from typing import Annotated

import msgspec

from services.auth.deps import AuthDeps
from services.auth.projects.domain import projects as rules
from services.auth.projects.domain.projects import ProjectChange, StoredProject
from services.auth.projects.operations import projects as operations
from shared.contracts.auth_methods import AUTH_METHODS, AuthMethod
from shared.kernel.clock import wire_date
from shared.kernel.errors import ErrorType
from shared.web.endpoint import Call, Caller, Routes
from shared.web.receipts import with_receipt

routes = Routes[AuthDeps]("project")

READ, WRITE = ("project.read",), ("project.write",)
POLICIES = ("policies.write", "project.policies.write")
UNCONFIRMED = (ErrorType.REVOCATION_UNCONFIRMED,)


class UpdateAuthMethod(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An auth method, on or off."""

    method_id: AuthMethod
    enabled: bool


class UpdateSessionLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions a user may have."""

    total: Annotated[int, msgspec.Meta(ge=rules.MIN_SESSIONS, le=rules.MAX_SESSIONS)]


class UpdateSessionDuration(msgspec.Struct, frozen=True, kw_only=True):
    """How long a new session lives, in seconds."""

    duration: Annotated[int, msgspec.Meta(ge=rules.SHORTEST_SESSION_S, le=rules.LONGEST_SESSION_S)]


class UpdateSessionIdle(msgspec.Struct, frozen=True, kw_only=True):
    """How long a session may be unused, in seconds; 0 or null: as long as it lives."""

    duration: Annotated[int, msgspec.Meta(ge=0, le=rules.LONGEST_SESSION_S)] | None


class UpdateRecentSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """How long ago a user may have signed in who deletes or blocks the own account, in seconds; 0 or null: for ever."""

    duration: Annotated[int, msgspec.Meta(ge=0, le=rules.LONGEST_SESSION_S)] | None


class UpdateSessionInvalidation(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a new password or address ends the user's other sessions."""

    enabled: bool


class UpdateUserLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How many users may sign up; 0 or null: no limit."""

    total: Annotated[int, msgspec.Meta(ge=0, le=rules.MAX_USERS)] | None


class UpdateMembershipPrivacy(msgspec.Struct, frozen=True, kw_only=True):
    """What members see of one another: true is seen; what is left out stays."""

    user_id: bool | None = msgspec.field(name="userId", default=None)
    user_email: bool | None = msgspec.field(name="userEmail", default=None)
    user_phone: bool | None = msgspec.field(name="userPhone", default=None)
    user_name: bool | None = msgspec.field(name="userName", default=None)
    user_mfa: bool | None = msgspec.field(name="userMFA", default=None)
    user_accessed_at: bool | None = msgspec.field(name="userAccessedAt", default=None)

    def set_fields(self) -> dict[str, bool]:
        """Return what was not left out, by its name on the wire."""
        shown = {field.encode_name: getattr(self, field.name) for field in msgspec.structs.fields(self)}
        return {name: is_shown for name, is_shown in shown.items() if is_shown is not None}


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is on or off."""

    id: str = msgspec.field(name="$id")
    enabled: bool


class Project(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A project. There are no teams of operators, regions, services to switch, or mail servers of its own here."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    name: str
    team_id: str = ""
    region: str = "default"
    status: str = "active"
    auth_methods: list[Switch]
    services: list[Switch] = []
    protocols: list[Switch] = []
    labels: list[str] = []
    onboarding: dict[str, str] = {}
    blocks: list[str] = []
    smtp_enabled: bool = False
    smtp_sender_name: str = ""
    smtp_sender_email: str = ""
    smtp_reply_to_name: str = ""
    smtp_reply_to_email: str = ""
    smtp_host: str = ""
    smtp_port: int = 0
    smtp_username: str = ""
    smtp_password: str = ""
    smtp_secure: str = ""
    ping_count: int = 0
    pinged_at: str = ""
    console_accessed_at: str = ""


@routes.endpoint("GET", "/v1/project", name="project.get", callers=Caller.KEY, scopes=READ)
async def get_project(call: Call[AuthDeps]) -> Project:
    """Return the project of the key that calls."""
    return project_model(await operations.get_project(call.deps, call.project.id))


@routes.endpoint(
    "PATCH",
    "/v1/project/auth-methods/{methodId}",
    name="project.update_auth_method",
    callers=Caller.KEY,
    scopes=WRITE,
    errors=UNCONFIRMED,
)
async def update_auth_method(call: Call[AuthDeps], params: UpdateAuthMethod) -> Project:
    """Switch an auth method on or off, everywhere; keys may use it all the same."""
    return await _change(call, ProjectChange(auth_methods={params.method_id: params.enabled}))


@routes.endpoint(
    "PATCH",
    "/v1/project/policies/session-limit",
    name="project.update_session_limit_policy",
    callers=Caller.KEY,
    scopes=POLICIES,
    errors=UNCONFIRMED,
)
async def update_session_limit_policy(call: Call[AuthDeps], params: UpdateSessionLimit) -> Project:
    """Set how many sessions a user may have: the sign-in beyond it ends the oldest."""
    return await _change(call, ProjectChange(session_limit=params.total))


@routes.endpoint(
    "PATCH",
    "/v1/project/policies/session-duration",
    name="project.update_session_duration_policy",
    callers=Caller.KEY,
    scopes=POLICIES,
    errors=UNCONFIRMED,
)
async def update_session_duration_policy(call: Call[AuthDeps], params: UpdateSessionDuration) -> Project:
    """Set how long new sessions live; those that there are keep their end."""
    return await _change(call, ProjectChange(session_duration_s=params.duration))


@routes.endpoint(
    "PATCH",
    "/v1/project/policies/session-idle",
    name="project.update_session_idle_policy",
    callers=Caller.KEY,
    scopes=POLICIES,
    errors=UNCONFIRMED,
)
async def update_session_idle_policy(call: Call[AuthDeps], params: UpdateSessionIdle) -> Project:
    """Set how long a session may be unused before it ends, with the JWTs made from it."""
    return await _change(call, ProjectChange(session_idle_s=params.duration or 0))


@routes.endpoint(
    "PATCH",
    "/v1/project/policies/recent-sign-in",
    name="project.update_recent_sign_in_policy",
    callers=Caller.KEY,
    scopes=POLICIES,
    errors=UNCONFIRMED,
)
async def update_recent_sign_in_policy(call: Call[AuthDeps], params: UpdateRecentSignIn) -> Project:
    """Set how recently a user must have signed in to delete or block the own account."""
    return await _change(call, ProjectChange(recent_sign_in_s=params.duration or 0))


@routes.endpoint(
    "PATCH",
    "/v1/project/policies/session-invalidation",
    name="project.update_session_invalidation_policy",
    callers=Caller.KEY,
    scopes=POLICIES,
    errors=UNCONFIRMED,
)
async def update_session_invalidation_policy(call: Call[AuthDeps], params: UpdateSessionInvalidation) -> Project:
    """Set whether a new password or address ends the user's other sessions."""
    return await _change(call, ProjectChange(session_invalidation=params.enabled))


@routes.endpoint(
    "PATCH",
    "/v1/project/policies/user-limit",
    name="project.update_user_limit_policy",
    callers=Caller.KEY,
    scopes=POLICIES,
    errors=UNCONFIRMED,
)
async def update_user_limit_policy(call: Call[AuthDeps], params: UpdateUserLimit) -> Project:
    """Set how many users may sign up."""
    return await _change(call, ProjectChange(user_limit=params.total or 0))


@routes.endpoint(
    "PATCH",
    "/v1/project/policies/membership-privacy",
    name="project.update_membership_privacy_policy",
    callers=Caller.KEY,
    scopes=POLICIES,
    errors=UNCONFIRMED,
)
async def update_membership_privacy_policy(call: Call[AuthDeps], params: UpdateMembershipPrivacy) -> Project:
    """Set what members of a team see of one another."""
    return await _change(call, ProjectChange(membership_fields=params.set_fields()))


async def _change(call: Call[AuthDeps], change: ProjectChange) -> Project:
    changed = await operations.update_project(call.deps, call.principal, project_change=change)
    return project_model(with_receipt(call, changed))


def project_model(stored: StoredProject) -> Project:
    """Write a project."""
    project = stored.project
    return Project(
        id=project.id,
        created_at=wire_date(stored.created_at),
        updated_at=wire_date(stored.updated_at),
        name=project.name,
        auth_methods=[Switch(id=id_, enabled=id_ not in project.disabled_auth_methods) for id_ in AUTH_METHODS],
    )
