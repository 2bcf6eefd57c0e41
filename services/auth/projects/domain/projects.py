"""Projects: what may be changed of one, and its web platforms."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

import msgspec

from services.auth.projects.domain.origins import normal_origins
from shared.contracts.auth_methods import AUTH_METHODS
from shared.contracts.ids import PlatformId, ProjectId
from shared.contracts.principal import Project
from shared.kernel.errors import ArgumentInvalid
from shared.queries.fields import fields, text

MEMBERSHIP_FIELDS = ("userId", "userEmail", "userPhone", "userName", "userMFA", "userAccessedAt")
"""What a membership tells of its user, and members see of one another where the project shows it."""

PLATFORM_LIST_FIELDS = fields({"name": text, "hostname": text, "type": text})
"""What lists of platforms may be filtered and ordered by."""

LONGEST_NAME = 128
MIN_SESSIONS, MAX_SESSIONS = 1, 100
SHORTEST_SESSION_S, LONGEST_SESSION_S = 60, 31_536_000
MAX_USERS = 10_000
SHORTEST_IDLE_S = 300
"""Replicas report once a minute which sessions are used: a much shorter time would end sessions in use."""


class StoredProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project with its dates."""

    project: Project
    created_at: datetime
    updated_at: datetime


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """A web platform: pages of `hostname` (`*.example.com`: of all its subdomains) may call."""

    project_id: ProjectId
    id: PlatformId
    name: str
    hostname: str
    created_at: datetime
    updated_at: datetime


class ProjectChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed of a project: what is None or not named stays.

    `auth_methods` says by id which are on, `membership_fields` by name which are shown; a `user_limit` of 0 is none,
    and so are `session_idle_s` and `recent_sign_in_s`. `origins` replaces the project's own; then some are added, and
    some removed.
    """

    name: str | None = None
    origins: tuple[str, ...] | None = None
    added_origins: tuple[str, ...] = ()
    removed_origins: tuple[str, ...] = ()
    session_duration_s: int | None = None
    session_limit: int | None = None
    session_idle_s: int | None = None
    recent_sign_in_s: int | None = None
    session_invalidation: bool | None = None
    user_limit: int | None = None
    auth_methods: Mapping[str, bool] = {}
    membership_fields: Mapping[str, bool] = {}

    def normal(self) -> Self:
        """Return the change with origins as they are stored; raises `ArgumentInvalid` as `check` does."""
        self.check()
        return msgspec.structs.replace(
            self,
            origins=None if self.origins is None else normal_origins("origins", self.origins),
            added_origins=normal_origins("added_origins", self.added_origins),
            removed_origins=normal_origins("removed_origins", self.removed_origins),
        )

    def check(self) -> None:
        """Raise `ArgumentInvalid` for the first field that is out of range."""
        if self.name is not None:
            check_name(self.name)
        _check_range("session_duration_s", self.session_duration_s, SHORTEST_SESSION_S, LONGEST_SESSION_S)
        _check_range("session_limit", self.session_limit, MIN_SESSIONS, MAX_SESSIONS)
        _check_range("session_idle_s", self.session_idle_s or None, SHORTEST_IDLE_S, LONGEST_SESSION_S)
        _check_range("recent_sign_in_s", self.recent_sign_in_s or None, SHORTEST_SESSION_S, LONGEST_SESSION_S)
        _check_range("user_limit", self.user_limit, 0, MAX_USERS)
        _check_names("auth_methods", self.auth_methods, AUTH_METHODS)
        _check_names("membership_fields", self.membership_fields, MEMBERSHIP_FIELDS)


def check_name(name: str) -> None:
    """Raise `ArgumentInvalid` where a name is none for a project or key."""
    if not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        raise ArgumentInvalid("name", f"it must be 1 to {LONGEST_NAME} characters long")


def _check_range(parameter: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise ArgumentInvalid(parameter, f"it must be {least} to {most}")


def _check_names(parameter: str, switches: Mapping[str, bool], known: tuple[str, ...]) -> None:
    if unknown := [name for name in switches if name not in known]:
        raise ArgumentInvalid(parameter, f"{unknown[0]} is not one of {', '.join(known)}")
