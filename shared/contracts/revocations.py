"""Revocations: the records of what was revoked, and single JWTs."""

from typing import ClassVar

import msgspec

from shared.contracts.requests import ADMIN, Request


class RevocationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The receipt of a change to what principals may do, as it is kept.

    `subjects` are what was changed, `reason` says how, `asked_by` the actor (`user:ID`, `key:ID` or `cli`). Dates are
    as on the wire. Pending: `answered_at` is empty, and the four after it mean nothing yet; `number` 0: none as yet.
    """

    number: int
    state: str
    subjects: tuple[str, ...]
    reason: str
    asked_by: str
    committed_at: str
    answered_at: str
    acked: int = 0
    fenced: int = 0
    milliseconds: float = 0.0


class RevocationRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Records, the newest first."""

    revocations: tuple[RevocationRecord, ...]


class ListRevocations(Request[RevocationRecords], frozen=True, kw_only=True):
    """`revocation.list`: at most `limit`; only those of `subject`, only those that are pending."""

    TYPE: ClassVar[str] = "revocation.list"
    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = ADMIN
    ANSWER: ClassVar[type[msgspec.Struct]] = RevocationRecords

    subject: str = ""
    is_pending: bool = False
    limit: int = 100


class ShowRevocation(Request[RevocationRecords], frozen=True, kw_only=True):
    """`revocation.show`. Refused with `revocation_not_found`."""

    TYPE: ClassVar[str] = "revocation.show"
    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = ADMIN
    ANSWER: ClassVar[type[msgspec.Struct]] = RevocationRecords

    number: int


class RevokedJwt(msgspec.Struct, frozen=True, kw_only=True):
    """A JWT was revoked at the source: `ticket` is the id of the outbox row, for a caller that waits for it."""

    ticket: str


class RevokeJwt(Request[RevokedJwt], frozen=True, kw_only=True):
    """`jwt.revoke`: end one JWT, by its `jti`; it would end by itself at `exp`, in Unix seconds. `by` says who asks."""

    TYPE: ClassVar[str] = "jwt.revoke"
    SERVICE: ClassVar[str] = "auth"
    ANSWER: ClassVar[type[msgspec.Struct]] = RevokedJwt

    jti: str
    exp: int
    by: str
