"""The feed reader: the loop by which a replica hears of revocations and renews its lease.

One round, on a connection of its own: register, and read Redis's identity and the stream's end in one moment with that;
announce; read. Registering comes before reading: a barrier that does not find this replica registered may pass without
it, since whatever is registered later, the next read sees the entry. The lease counts from before the round was sent,
and only a reader that has reached the end it saw in the same round gets one.
"""

import asyncio
import re
import secrets
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog

from shared.contracts.events import FeedOpened, PrincipalsChanged
from shared.guard.cache import Cache
from shared.kernel.clock import boot_clock
from shared.messaging import names
from shared.messaging.codec import Entry, MalformedMessage, unpack
from shared.messaging.reading import UnexpectedReply, field_of, tail_of
from shared.messaging.wire import REDIS_ERRORS, Command, Wire, pause

log = structlog.get_logger()

POLL_S = 1.0
LEASE_S = 3.0
REGISTRATION_S = 4.0
"""POLL < LEASE < REGISTRATION: a barrier that has waited REGISTRATION for a silent replica knows its lease is over.

Constants, and no settings of a process: the promise holds only where all processes have the same.
"""

ROUND_S = 2.5
RETRY_S = 0.2
UNFORESEEN_S = 1.0
COUNT = 1000
RECENT = 4096
WAIT_MS = 500

_SUFFIX = re.compile(rb"[0-9a-z-]{1,100}")


class _Replies(NamedTuple):
    """What Redis replied in one round: to the transaction, to WAIT (if it was sent), and to XREAD.

    Any: replies of Redis, each of which may be an error.
    """

    executed: Any
    followers: Any
    entries: Any


class FeedReader:
    """Keeps a `Cache` up with the feed for as long as `run` runs.

    `copies` is the number of Redis's promotable copies: a registration counts only if all of them have it, since any
    of them may be the Redis in which a barrier looks for this replica.
    """

    def __init__(self, *, cache: Cache, service: str, redis_url: str, copies: int = 0) -> None:
        self._cache = cache
        self._copies = copies
        self.service = service
        self._redis_url = redis_url
        self._registry = names.registry(service)
        self._identity: tuple[bytes, ...] = ()
        self._is_new_here = True
        self._round = 0
        self._numbers: dict[uuid.UUID, int] = {}
        self._waiting: dict[uuid.UUID, asyncio.Future[int]] = {}
        self._watchers: list[tuple[str, Callable[[], None]]] = []
        self._leased = asyncio.Event()
        self._moved = asyncio.Event()
        self._standing: list[str] = []
        self.name = ""
        self.tail = 0
        """The number of the stream's last entry, when it was last looked at."""
        self.drops: Counter[str] = Counter()
        """How often everything that was remembered has been dropped, by reason."""

    @property
    def stream(self) -> str:
        """The name of the feed's stream, as far as it is known."""
        return names.stream("feed", self.suffix)

    @property
    def suffix(self) -> str:
        """What the names of this instance's streams end in, as far as it is known."""
        return self._identity[2].decode() if self._identity else "unknown"

    async def run(self) -> None:
        """Follow the feed until cancelled, reconnecting for ever; then end the lease and deregister."""
        while True:
            wire: Wire | None = None
            try:
                self._take_name()
                wire = await Wire.open(self._redis_url, name="daypass-feed")
                while True:
                    await self._one_round(wire)
            except asyncio.CancelledError:
                await self._leave(wire)
                raise
            except REDIS_ERRORS as error:
                log.warning("feed interrupted", service=self.service, error=repr(error))
                await pause(error, RETRY_S)
            except Exception as error:  # it is unknown how much of the round was applied: all of it is dropped
                log.exception("feed reader failed", service=self.service)
                self._identity = ()
                self._cache.end_lease()
                await pause(error, UNFORESEEN_S)
            finally:
                if wire is not None:
                    await wire.close()

    async def until_leased(self, timeout_s: float | None) -> None:
        """Wait for a lease; raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not self._cache.is_leased():  # a lease that runs out sets no event
                self._leased.clear()
                await self._leased.wait()

    async def until_moved(self, suffix: str) -> None:
        """Wait until the instance's streams have another suffix than this."""
        while self.suffix == suffix:
            self._moved.clear()
            await self._moved.wait()

    async def position_of(self, ticket: uuid.UUID, timeout_s: float) -> int | None:
        """Return the position of an outbox row in the feed once it is applied here; None where it is not in time."""
        if (number := self._numbers.get(ticket)) is not None:
            return number
        future = self._waiting.setdefault(ticket, asyncio.get_running_loop().create_future())
        done, _ = await asyncio.wait([future], timeout=timeout_s)
        if not done:
            self._waiting.pop(ticket, None)
            return None
        return future.result()

    def watch(self, subject: str, callback: Callable[[], None]) -> None:
        """Call `callback` whenever an entry names `subject`, and whenever entries may have been missed."""
        self._watchers.append((subject, callback))

    def _take_name(self) -> None:
        # A new name for every connection: late commands of an old connection then speak for no replica.
        self.name = f"{self.service}-{secrets.token_hex(6)}"

    async def _one_round(self, wire: Wire) -> None:
        cache = self._cache
        started = boot_clock()
        self._round += 1
        registration = f"{self.name}:{cache.position}:{self._round}"
        commands = self._commands(cache.position, registration)
        self._standing.append(registration)
        replies = self._named(await wire.send(commands, timeout_s=POLL_S + ROUND_S))
        identity, end = _moment_of(replies.executed)
        self._standing = [registration]
        if identity != self._identity:
            # What another Redis said may be lost here: the next round begins anew, at this one's end.
            self._identity = identity
            self._is_new_here = True
            self._numbers.clear()
            self._moved.set()
            self._drop_all(cache.position, lost="another Redis")
            return
        self.tail = tail = tail_of(end)
        if self._is_new_here:
            self._begin_at(tail)
            self._is_new_here = False
        else:
            self._apply_entries(replies.entries, tail)
        if self._copies and not _follow(replies.followers, self._copies):
            log.warning("not all copies follow this Redis", service=self.service)
        elif cache.position >= tail:
            cache.extend_lease(started + LEASE_S)
            self._leased.set()

    def _commands(self, at: int, registration: str) -> list[Command]:
        blocking: Command = ("BLOCK", int(POLL_S * 1000)) if self._cache.is_leased() else ()
        stream = self.stream
        return [
            ("MULTI",),
            ("INFO", "server"),
            ("INFO", "replication"),
            ("HMGET", names.IDENTITY, "id", "stream"),
            ("ZADD", self._registry, 0, registration),
            # only now that the new one stands, the lease no longer needs the former ones
            *([("ZREM", self._registry, *self._standing)] if self._standing else []),
            # of the same moment as the identity: read later, another Redis's end could pass for this one's
            ("XINFO", "STREAM", stream),
            ("EXEC",),
            *([("WAIT", self._copies, WAIT_MS)] if self._copies else []),
            ("PUBLISH", names.announcements(self.service), f"{self.name}:{at}"),
            ("XREAD", "COUNT", COUNT, *blocking, "STREAMS", stream, "$" if self._is_new_here else f"{at}-0"),
        ]

    def _named(self, replies: list[Any]) -> _Replies:  # Any: replies of Redis
        if not self._copies:
            *_, executed, _announced, entries = replies
            return _Replies(executed, None, entries)
        *_, executed, followers, _announced, entries = replies
        return _Replies(executed, followers, entries)

    def _drop_all(self, position: int, *, lost: str) -> None:
        if self._cache.era:
            self.drops[lost] += 1
            log.info("cache dropped", service=self.service, reason=lost)
        self._begin_at(position)

    def _begin_at(self, position: int) -> None:
        self._cache.reset(position)
        self._leased.clear()
        for _, callback in self._watchers:
            callback()

    def _apply_entries(self, reply: Any, tail: int) -> None:  # Any: a reply of Redis
        if isinstance(reply, Exception):
            raise UnexpectedReply from reply
        entries = reply[0][1] if reply else []
        for entry_id, fields in entries:
            number = int(entry_id.split(b"-")[0])
            if number != self._cache.position + 1:
                self._drop_all(max(tail, number), lost="a gap")
                return
            self._apply(number, dict(zip(fields[::2], fields[1::2], strict=False)))
        if not entries and tail != self._cache.position:
            self._drop_all(tail, lost="entries trimmed")

    def _apply(self, number: int, fields: dict[bytes, bytes]) -> None:
        try:
            subjects = subjects_of(fields.get(b"entry", b""))
        except MalformedMessage:
            self._drop_all(number, lost="an unknown entry")
        else:
            self._cache.apply(number, subjects)
            for subject, callback in self._watchers:
                if subject in subjects:
                    callback()
        if len(row := fields.get(b"id", b"")) == 16:  # noqa: PLR2004 the length of a UUID
            self._tell(uuid.UUID(bytes=row), number)

    def _tell(self, ticket: uuid.UUID, number: int) -> None:
        self._numbers[ticket] = number
        if len(self._numbers) > RECENT:
            del self._numbers[next(iter(self._numbers))]
        if (future := self._waiting.pop(ticket, None)) is not None and not future.done():
            future.set_result(number)

    async def _leave(self, wire: Wire | None) -> None:
        self._cache.reset(self._cache.position)
        if wire is not None and self._standing:
            try:
                leaving: list[Command] = [("ZREM", self._registry, *self._standing)]
                another = await Wire.open(self._redis_url, name="daypass-feed")
                await another.send(leaving, timeout_s=1)
                await another.close()
            except REDIS_ERRORS as error:
                log.warning("could not deregister", service=self.service, error=repr(error))


def subjects_of(entry: bytes) -> tuple[str, ...]:
    """Return what a feed entry names; raises `MalformedMessage` for a type or version that is not known here."""
    parsed = unpack(entry, Entry)
    match parsed.type, parsed.version:
        case PrincipalsChanged.TYPE, PrincipalsChanged.VERSION:
            return unpack(parsed.body, PrincipalsChanged).subjects
        case FeedOpened.TYPE, FeedOpened.VERSION:
            return ()
        case _:
            raise MalformedMessage("unknown type or version")


def _follow(reply: Any, copies: int) -> bool:  # Any: a reply of Redis
    return isinstance(reply, int) and reply >= copies


def _moment_of(reply: Any) -> tuple[tuple[bytes, ...], Any]:  # Any: replies of Redis
    """Return the identity, and the reply about the stream's end, that were read together with the registration."""
    if isinstance(reply, Exception) or not isinstance(reply, list):
        raise UnexpectedReply("the registration failed")
    server, replication, identity, *others, end = reply
    if any(isinstance(part, Exception) for part in (server, replication, identity, *others)):
        raise UnexpectedReply("the registration failed")
    token, stream = identity
    if not token or not stream or not _SUFFIX.fullmatch(stream):
        raise UnexpectedReply("this Redis has no identity yet")
    return (field_of(server, b"run_id:"), field_of(replication, b"master_replid:"), stream, token), end
