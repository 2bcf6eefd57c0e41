"""A user whose end all processes are asked for."""

import asyncio
import contextlib
from collections.abc import Iterator

from tests.e2e.revocation.checker import Check
from tests.e2e.revocation.cluster import Member
from tests.e2e.revocation.probes import of_user
from tests.e2e.revocation.rounds import Round
from tests.eventually import eventually

SOME = 8


class Witness:
    """A signed-in user whom every process has just been asked for, by JWT and by session secret."""

    def __init__(self, one: Round) -> None:
        self._one = one
        self._project = one.person.project
        self.probes = [probe for kind in ("jwt", "session") for probe in of_user(one, kind)]

    @classmethod
    async def new(cls, check: Check) -> "Witness":
        """Sign somebody in."""
        witness = cls(await Round.begin(await check.project.person()))
        await eventually(witness.shown, len(witness.probes))
        return witness

    async def shown(self) -> int:
        """Ask everybody at once; return how many answers show the user."""
        send = self._project.client.send
        answers = await asyncio.gather(
            *(send(one.member, one.method, one.path, one.headers, one.body) for one in self.probes)
        )
        return sum(probe.shows(*answer) for probe, answer in zip(self.probes, answers, strict=True))

    async def delete(self) -> tuple[int, str]:
        """Delete the session by the key; return the answer's status, and its type if it is a refusal."""
        path = f"/users/{self._one.person.id}/sessions/{self.session}"
        status, body = await self._project.by_key("auth", "DELETE", path)
        return status, "" if body is None else body["type"]

    @property
    def session(self) -> str:
        """The id of the session."""
        return self._one.session

    async def dies(self) -> None:
        """Delete the session until that is confirmed, and see that nobody shows the user from then on."""

        async def is_deleted() -> bool:
            return (await self.delete())[0] in {204, 404}

        await eventually(is_deleted, True)
        for _ in range(3):
            assert await self.shown() == 0


@contextlib.contextmanager
def left_out(*members: Member) -> Iterator[None]:
    """Have new rounds do without these, since they can say nothing of anyone; those under way still ask them."""
    for member in members:
        member.is_stopped = True
    try:
        yield
    finally:
        for member in members:
            member.is_stopped = False
