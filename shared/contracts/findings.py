"""Findings about a deployment: what the promise rests on, and whether it is so."""

from enum import StrEnum
from typing import ClassVar

import msgspec

from shared.contracts.requests import ADMIN, Request


class Verdict(StrEnum):
    """What a finding comes to: as it must be; as it should not be; the promise is not kept like this."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding about one condition: `part` is its place (`redis`, `postgresql`, …), `message` fact and remedy."""

    verdict: Verdict
    part: str
    check: str
    message: str


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, in the order in which they were looked at."""

    findings: tuple[Finding, ...]


class ExamineDeployment(Request[Findings], frozen=True, kw_only=True):
    """`deployment.examine`: look at everything that the promise rests on; takes some seconds."""

    TYPE: ClassVar[str] = "deployment.examine"
    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = ADMIN
    ANSWER: ClassVar[type[msgspec.Struct]] = Findings
