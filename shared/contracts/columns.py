"""Requests of the command line to data, about encrypted columns."""

from typing import ClassVar

import msgspec

from shared.contracts.requests import ADMIN, Request


class ResealedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """How far a column has been resealed: up to the row of sequence `row` of about `rows`.

    `unreadable` is the number of values among those of this request that cannot be decrypted, and were left alone.
    """

    database: str
    table: str
    column: str
    row: int
    rows: int
    resealed: int
    unreadable: int


class ResealProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What a request has done for one column (None: every value is sealed under `key`), and how many columns remain."""

    key: str
    remaining: int
    column: ResealedColumn | None = None


class ResealColumns(Request[ResealProgress], frozen=True, kw_only=True):
    """`column.reseal`: seal some values of encrypted columns again, under the first of the column keys.

    `key` is the id of the key, as the first answer names it, so that all replicas work towards the same; empty: the
    first key of the replica that answers. A request that is delivered twice goes on after the first.

    Refused with `general_bad_request` where the replica lacks a key that is in use.
    """

    TYPE: ClassVar[str] = "column.reseal"
    SERVICE: ClassVar[str] = "data"
    LANE: ClassVar[str] = ADMIN
    ANSWER: ClassVar[type[msgspec.Struct]] = ResealProgress

    key: str = ""
