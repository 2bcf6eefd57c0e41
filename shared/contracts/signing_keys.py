"""Requests of the command line to token, about signing keys.

Requests may be delivered twice: so a rotation names the key that it replaces, and a second one finds it done.
"""

from typing import ClassVar

import msgspec

from shared.contracts.requests import ADMIN, Request


class SigningKeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key; `state` is `next`, `active`, `retiring` or `gone`, since `changed_at`. Dates as on the wire."""

    kid: str
    algorithm: str
    state: str
    created_at: str
    changed_at: str


class SigningKeyRecords(msgspec.Struct, frozen=True, kw_only=True):
    """All signing keys, the oldest first, the `iss` of their JWTs, and the receipt of what was done to them, if any."""

    keys: tuple[SigningKeyRecord, ...]
    issuer: str = ""
    receipt: str = ""


class ListSigningKeys(Request[SigningKeyRecords], frozen=True, kw_only=True):
    """`signing_key.list`: all signing keys there ever were."""

    TYPE: ClassVar[str] = "signing_key.list"
    SERVICE: ClassVar[str] = "token"
    LANE: ClassVar[str] = ADMIN
    ANSWER: ClassVar[type[msgspec.Struct]] = SigningKeyRecords


class RotateSigningKey(Request[SigningKeyRecords], frozen=True, kw_only=True):
    """`signing_key.rotate`: let the next key sign in place of the active one, whose kid is `active`."""

    TYPE: ClassVar[str] = "signing_key.rotate"
    SERVICE: ClassVar[str] = "token"
    LANE: ClassVar[str] = ADMIN
    ANSWER: ClassVar[type[msgspec.Struct]] = SigningKeyRecords

    active: str


class RetireSigningKey(Request[SigningKeyRecords], frozen=True, kw_only=True):
    """`signing_key.retire`: end a retiring key and every JWT that it signed."""

    TYPE: ClassVar[str] = "signing_key.retire"
    SERVICE: ClassVar[str] = "token"
    LANE: ClassVar[str] = ADMIN
    ANSWER: ClassVar[type[msgspec.Struct]] = SigningKeyRecords

    kid: str


class ResealSigningKeys(Request[SigningKeyRecords], frozen=True, kw_only=True):
    """`signing_key.reseal`: seal every private key again, under the first of the master keys."""

    TYPE: ClassVar[str] = "signing_key.reseal"
    SERVICE: ClassVar[str] = "token"
    LANE: ClassVar[str] = ADMIN
    ANSWER: ClassVar[type[msgspec.Struct]] = SigningKeyRecords
