"""The system account that the parts run as: PostgreSQL refuses to be root."""

import os
import pwd
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.embedded.errors import StartRefused

DEDICATED = ("daypass", "postgres")
"""Accounts to look for, the first that exists. None is ever made."""
SHARED = "nobody"
"""Taken where there is none of those, and only as long as nothing else runs as it: that could read all data."""
PARTS = {"initdb", "postgres", "valkey-server", "test"}
"""Programs that run as the account of the parts, of this instance or another."""
GLANCE_S = 0.2
REMEDY = "make an account of its own (useradd --system --no-create-home --shell /usr/sbin/nologin daypass)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An existing account of this system."""

    name: str
    uid: int
    gid: int

    @classmethod
    def choose(cls, *, kept: Path, dedicated: Sequence[str] = DEDICATED) -> Self | None:
        """Return the account for the parts: None, one's own, unless this is root.

        What `kept` holds was made by an earlier start, whose account stays. Raises `StartRefused` if there is none,
        or only `SHARED`, and something else runs as it.
        """
        if os.geteuid() != 0:
            return None
        account = cls._of(pwd.getpwuid(kept.stat().st_uid)) if kept.exists() else cls._find(dedicated)
        if account.name == SHARED and (others := account.other_processes()):
            move = f", give it the data (chown -R daypass: {kept} {kept.with_name('valkey')})" if kept.exists() else ""
            raise StartRefused(
                f"under root, PostgreSQL would run as {SHARED}, and so does {', '.join(others)}, which could read all"
                f" data then: {REMEDY}{move}, or start Daypass as an ordinary user"
            )
        return account

    @classmethod
    def _find(cls, dedicated: Sequence[str]) -> Self:
        for name in (*dedicated, SHARED):
            try:
                return cls._of(pwd.getpwnam(name))
            except KeyError:
                continue
        raise StartRefused(
            f"PostgreSQL does not run as root, and there is no account {' or '.join(dedicated)} to run it as:"
            f" {REMEDY}, or start Daypass as an ordinary user"
        )

    @classmethod
    def _of(cls, entry: pwd.struct_passwd) -> Self:
        return cls(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)

    def enter(self) -> None:
        """Become this account, for good. For a child between fork and exec: system calls only."""
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)

    def other_processes(self) -> list[str]:
        """Return the names of programs that run as this account and are no parts of Daypass; none that just pass."""
        first = self._others()
        if not first:
            return []
        time.sleep(GLANCE_S)
        again = self._others()
        return sorted({name for pid, name in again.items() if first.get(pid) == name})

    def _others(self) -> dict[str, str]:
        programs = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
                program = (process / "exe").readlink().name.removesuffix(" (deleted)")
            except (OSError, ValueError):
                continue  # it has ended
            if str(self.uid) in status["Uid"].split() and program not in PARTS:
                programs[process.name] = program
        return programs

    def can_reach(self, path: Path) -> bool:
        """Say whether this account may enter or execute `path`: the system decides, which knows every rule."""
        question = ["/usr/bin/test", "-x", str(path)]
        return subprocess.run(question, preexec_fn=self.enter, check=False).returncode == 0  # noqa: S603 a fixed program; `enter` makes system calls only
