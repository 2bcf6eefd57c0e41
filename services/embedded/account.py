"""The system account that the parts run as: PostgreSQL refuses to be root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.embedded.errors import StartRefused

UNPRIVILEGED = ("postgres", "nobody")
"""Accounts to look for, the first that exists. None is ever made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An existing account of this system."""

    name: str
    uid: int
    gid: int

    @classmethod
    def choose(cls, *, kept: Path) -> Self | None:
        """Return the account for the parts: None, one's own, unless this is root.

        What `kept` holds was made by an earlier start, whose account stays. Raises `StartRefused` if there is none.
        """
        if os.geteuid() != 0:
            return None
        if kept.exists():
            return cls._of(pwd.getpwuid(kept.stat().st_uid))
        for name in UNPRIVILEGED:
            try:
                return cls._of(pwd.getpwnam(name))
            except KeyError:
                continue
        raise StartRefused(
            f"PostgreSQL does not run as root, and there is no account {' or '.join(UNPRIVILEGED)} to run it as:"
            " start Daypass as an ordinary user"
        )

    @classmethod
    def _of(cls, entry: pwd.struct_passwd) -> Self:
        return cls(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)

    def enter(self) -> None:
        """Become this account, for good. For a child between fork and exec: system calls only."""
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)

    def can_reach(self, path: Path) -> bool:
        """Say whether this account may enter or execute `path`: asked of the system, which knows every rule."""
        question = ["/usr/bin/test", "-x", str(path)]
        return subprocess.run(question, preexec_fn=self.enter, check=False).returncode == 0  # noqa: S603 a fixed program; `enter` makes system calls only
