"""Announcements: how far replicas say that they are. They are a hint; the registry is the record."""

import asyncio
import re
from collections.abc import Iterable
from typing import Any

from shared.guard.registrations import MOST, Registration, Replica
from shared.kernel.clock import boot_clock
from shared.messaging import names
from shared.messaging.passed_over import PassedOver
from shared.messaging.wire import Wire, heed_cancellation

BURST, BURST_S = 250, 0.025
"""So many announcements are read in no less than this."""

SUBSCRIBE_S = 2.0

_ANNOUNCEMENT = re.compile(rb"([0-9a-z-]{1,64}):([0-9]{1,18})")


class Announcements:
    """The highest position that each replica has announced, as far as `listen` has heard."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._announced: dict[Replica, int] = {}
        self._news = asyncio.Condition()
        self._passed_over = PassedOver()

    async def listen(self) -> None:
        """Take in what is announced until cancelled, or until an error of Redis, which is raised."""
        wire = await Wire.open(self._redis_url, name="daypass-barrier")
        try:
            channels = [names.announcements(service) for service in names.SERVICES]
            await wire.send([("SUBSCRIBE", *channels)], timeout_s=SUBSCRIBE_S)
            while True:
                heed_cancellation()
                started = boot_clock()
                for _ in range(BURST):
                    await self._on_announcement(await wire.receive())
                # however much a service announces, there is time for something else
                await asyncio.sleep(BURST_S - (boot_clock() - started))
        finally:
            await wire.close()

    def still_behind(self, registrations: Iterable[Registration], number: int) -> set[Registration]:
        """Return those of these replicas that have not announced a number, or one past it."""
        return {one for one in registrations if self._announced.get(one.replica, 0) < number}

    async def wait_for(self, registrations: set[Registration], number: int, timeout_s: float) -> None:
        """Wait until all of these, if any, have announced the number, or until the time is over."""
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(lambda: bool(registrations) and not self.still_behind(registrations, number))
        except TimeoutError:
            pass

    def keep_only(self, replicas: set[Replica]) -> None:
        """Forget what others than these have announced."""
        self._announced = {replica: at for replica, at in self._announced.items() if replica in replicas}

    async def _on_announcement(self, message: Any) -> None:  # Any: a reply of Redis
        if isinstance(message, Exception):
            raise message
        kind, channel, announced = message
        if kind != b"message":
            return
        service = channel.decode().removeprefix(names.announcements(""))
        announcement = parse_announcement(announced)
        if announcement is None:
            self._passed_over.note("announcement", service=service, length=len(announced))
            return
        name, position = announcement
        replica = Replica(service, name)
        known = self._announced.get(replica)
        if position > (known or 0) and (known is not None or len(self._announced) < MOST):
            self._announced[replica] = position
            async with self._news:
                self._news.notify_all()


def parse_announcement(message: bytes) -> tuple[str, int] | None:
    """Read the name and position of an announcement; None where it is malformed."""
    match = _ANNOUNCEMENT.fullmatch(message)
    return None if match is None else (match[1].decode(), int(match[2]))
