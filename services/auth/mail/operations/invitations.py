"""Where the links of invitations go: to the invited address, and never into an answer."""

import asyncio
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

import msgspec

from shared.contracts.ids import MembershipId, ProjectId, TeamId, UserId
from shared.kernel.private_file import write_private


class Letter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An invitation as it is sent: to whom (an e-mail address or phone number), to what, and the link that accepts."""

    project_id: ProjectId = msgspec.field(name="project")
    membership_id: MembershipId
    team_id: TeamId
    team_name: str
    user_id: UserId
    to: str
    link: str

    def __repr__(self) -> str:
        return f"Letter({self.project_id}/{self.membership_id})"


class Invitations(Protocol):
    """Takes letters."""

    async def send(self, letter: Letter) -> None:
        """Pass a letter on, in place of an earlier one of the same membership; raises `OSError`."""


class InvitationFolder:
    """Keeps each letter as a JSON file of mode 0600 in one folder: for development, and for who sends it on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, letter: Letter) -> None:
        """Write the letter; raises `OSError`."""
        await asyncio.to_thread(self._write, letter)

    def _write(self, letter: Letter) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # No project id has a dot in it: so no two memberships share a name.
        path = self._folder / f"{letter.project_id}.{letter.membership_id}.json"
        write_private(path, msgspec.json.format(msgspec.json.encode(letter), indent=2) + b"\n")


def link_to(url: str, **query: str) -> str:
    """Return a URL with these parameters added to its query."""
    base, hash_, fragment = url.partition("#")
    return f"{base}{'&' if '?' in base else '?'}{urlencode(query)}{hash_}{fragment}"
