"""Scopes: what guests, users and keys hold, and who is admitted to an endpoint."""

import enum

import msgspec

from shared.contracts.principal import Kind, Principal
from shared.kernel.errors import ErrorType, Refusal

GUEST_SCOPES = frozenset(
    {
        "global", "public", "home", "graphql", "sessions.write", "documents.read", "documents.write", "rows.read",
        "rows.write", "embeddings.write", "files.read", "files.write", "locale.read", "avatars.read",
        "executions.write",
    }
)  # fmt: skip
USER_SCOPES = GUEST_SCOPES | {
    "account", "teams.read", "teams.write", "executions.read", "targets.read", "targets.write", "subscribers.read",
    "subscribers.write", "presences.read", "presences.write", "projects.read", "rules.read", "assistant.read",
}  # fmt: skip
KEY_SCOPES = frozenset({"global", "graphql"})
"""What every key holds besides its own scopes."""


class Caller(enum.Flag):
    """The callers that an endpoint admits."""

    PUBLIC = 0
    """Callers are not authenticated, and need not name a project. For health checks and public keys."""

    GUEST = enum.auto()
    SESSION = enum.auto()
    JWT = enum.auto()
    KEY = enum.auto()
    USER = SESSION | JWT
    CLIENT = GUEST | SESSION | JWT
    ANYONE = GUEST | SESSION | JWT | KEY


_ROLES = {
    Kind.GUEST: (Caller.GUEST, GUEST_SCOPES, "guests"),
    Kind.SESSION: (Caller.SESSION, USER_SCOPES, "users"),
    Kind.JWT: (Caller.JWT, USER_SCOPES, "users"),
    Kind.KEY: (Caller.KEY, KEY_SCOPES, "applications"),
}


class Admission(msgspec.Struct, frozen=True):
    """The callers that pass: `kinds` always do, a key where it holds one of `key_scopes`."""

    kinds: frozenset[Kind]
    key_scopes: frozenset[str]
    scopes: tuple[str, ...]

    @classmethod
    def of(cls, callers: Caller, scopes: tuple[str, ...]) -> "Admission":
        """Work it out for an endpoint; any one of its scopes suffices, and without scopes every caller passes."""
        needed = frozenset(scopes)
        kinds = frozenset(
            kind
            for kind, (caller, held, _) in _ROLES.items()
            if caller in callers and (not needed or not needed.isdisjoint(held))
        )
        return cls(kinds, needed if Caller.KEY in callers else frozenset(), scopes)

    def check(self, principal: Principal) -> None:
        """Raise `Refusal(GENERAL_UNAUTHORIZED_SCOPE)` unless the principal passes."""
        if principal.kind in self.kinds:
            return
        if principal.kind is Kind.KEY and not self.key_scopes.isdisjoint(principal.scopes):
            return
        who = principal.user_id or ("App" if principal.kind is Kind.KEY else "User")
        missing = msgspec.json.encode(self.scopes).decode()
        raise Refusal(
            ErrorType.GENERAL_UNAUTHORIZED_SCOPE,
            f"{who} (role: {_ROLES[principal.kind][2]}) missing scopes ({missing})",
        )
