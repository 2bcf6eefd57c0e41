"""Requests and replies over streams.

A request goes into a stream for the service, lane and asker; one of the service's processes takes it, by a group, and
answers into the reply stream of the asking process, whose name says who answers: so Redis's ACL can keep others from
answering. The envelope carries how long the asker waits; a server drops what is late, by Redis's own clock, since the
clocks of two hosts may differ. Delivery is at least once: handlers bear a repetition.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, cast

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from shared.contracts.requests import ADMIN, A, Request
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.messaging import names
from shared.messaging.codec import NOTHING, MalformedMessage, pack, unpack
from shared.messaging.group import Group, GroupRules
from shared.messaging.passed_over import PassedOver
from shared.messaging.reading import is_worn_out
from shared.messaging.wire import REDIS_ERRORS, forever
from shared.postgres.errors import is_away

log = structlog.get_logger()

Handler = Callable[[Any], Awaitable[msgspec.Struct]]
"""Any: the request class that it is registered for."""

Handlers = Mapping[type[Request[Any]], Handler]
"""What a service answers. Any: requests with answers of every kind."""

ASK_TIMEOUT_S = 3.0
REQUESTS_LENGTH = 10_000
REPLIES_LENGTH = 2_000
REPLIES_KEPT_S = 600
"""How long the replies to a process that died stand in Redis; one that lives deletes its own."""

REQUEST_BYTES = 256 * 1024
"""The size of a request; replies may be as long as any message."""

CONCURRENCY = 32
AWAY = "The database cannot be reached at the moment."

RECANCEL_S = 0.05
"""When to cancel again what the client library, which loses a cancellation right after a command, reads on with."""


Short = Annotated[str, msgspec.Meta(max_length=128)]
Asker = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{1,16}:[0-9a-z]{1,32}$")]


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A request on the wire. `asker` is `service:process`; the reply goes to its stream, under `id`."""

    id: Short
    type: Short
    version: int
    asker: Asker
    timeout_ms: int
    request_id: Short
    body: msgspec.Raw


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal, on its way back."""

    type: str
    message: str
    retry_after_s: int | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply on the wire: a body, or a fault."""

    id: Short
    body: msgspec.Raw = NOTHING
    fault: Fault | None = None


@dataclass(slots=True)
class _Replies:
    """How far a stream of replies has been read, and what of it is to be deleted."""

    stream: str
    last: bytes = b"0-0"
    read: list[bytes] = field(default_factory=list)


class Bus:
    """One process's end of the bus: it asks, and it serves what its service answers."""

    def __init__(self, *, redis: Redis, service: str) -> None:
        self._redis = redis
        self._service = service
        self.asker = f"{service}:{secrets.token_hex(6)}"
        """The name of this process, to which replies go."""
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._listening: dict[str, asyncio.Task[None]] = {}
        self._passed_over = PassedOver()

    async def ask(self, request: Request[A], *, timeout_s: float = ASK_TIMEOUT_S) -> A:
        """Ask the service that answers requests of this class, and return its answer.

        Raises the `Refusal` that the service raised, or `Unavailable` where no answer came within `timeout_s`.
        """
        id_ = secrets.token_hex(12)
        future = self._waiting[id_] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                self._listen_to(request.SERVICE)
                await self._send(id_, request, timeout_s)
                reply = await future
        except REDIS_ERRORS as error:
            raise Unavailable(f"The {request.SERVICE} service did not answer in time.") from error
        finally:
            del self._waiting[id_]
        return _open(reply, request)

    async def serve(self, lane: str, handlers: Mapping[type[Request[Any]], Handler]) -> None:
        """Answer the requests of a lane until cancelled."""
        known = {(kind.TYPE, kind.VERSION): (kind, handler) for kind, handler in handlers.items()}

        async with asyncio.TaskGroup() as groups:
            for asking in ("auth", "cli") if lane == ADMIN else names.SERVICES:
                handle = partial(self._answer, known, asking)
                groups.create_task(self._group(lane, asking).run(handle))

    def _group(self, lane: str, asking: str) -> Group:
        return Group(
            redis=self._redis,
            stream=names.requests(self._service, lane, asking),
            service=self._service,
            consumer=self.asker,
            rules=GroupRules(concurrency=CONCURRENCY, deletes=True),
        )

    async def close(self) -> None:
        """Stop listening, and take this process's reply streams away."""
        while listening := [task for task in self._listening.values() if not task.done()]:
            for task in listening:
                task.cancel()
            await asyncio.wait(listening, timeout=RECANCEL_S)
        await asyncio.gather(*self._listening.values(), return_exceptions=True)
        try:
            for answering in self._listening:
                await self._redis.delete(names.replies(answering, self.asker))
        except REDIS_ERRORS as error:
            log.warning("reply streams left behind", error=repr(error))

    async def _send(self, id_: str, request: Request[Any], timeout_s: float) -> None:
        envelope = Envelope(
            id=id_,
            type=request.TYPE,
            version=request.VERSION,
            asker=self.asker,
            timeout_ms=int(timeout_s * 1000),
            request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
            body=msgspec.Raw(pack(request)),
        )
        stream = names.requests(request.SERVICE, request.LANE, self._service)
        await self._redis.xadd(stream, {"request": pack(envelope)}, maxlen=REQUESTS_LENGTH, approximate=True)

    def _listen_to(self, service: str) -> None:
        task = self._listening.get(service)
        if task is None or task.done():
            replies = _Replies(names.replies(service, self.asker))
            step = partial(self._hear, replies)
            self._listening[service] = asyncio.create_task(forever(step, name="replies", retry_s=0.1))

    async def _hear(self, replies: _Replies) -> None:
        """Read replies on, and delete those that were read before."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            if replies.read:
                pipeline.xdel(replies.stream, *replies.read)
            pipeline.xread({replies.stream: replies.last}, block=1000, count=100)
            reply: Any = (await pipeline.execute())[-1]  # Any: the client's union
        replies.read = []
        if not reply and await self._is_behind(replies.stream, replies.last):
            replies.last = b"0-0"
        for id_, fields in reply[0][1] if reply else ():
            replies.last = id_
            replies.read.append(id_)
            self._deliver(fields.get(b"reply", b""))
        if is_worn_out(replies.last):
            await self._redis.delete(replies.stream)
            replies.last = b"0-0"

    async def _is_behind(self, stream: str, last: bytes) -> bool:
        """Say whether a stream has begun anew, with lower ids than before: Redis's clock may have gone back."""
        try:
            info = await self._redis.xinfo_stream(stream)
        except ResponseError:  # there is none
            return True
        return _order(info["last-generated-id"]) < _order(last)

    def _deliver(self, data: bytes) -> None:
        try:
            reply = unpack(data, Reply)
        except MalformedMessage:
            self._passed_over.note("reply")
            return
        if (future := self._waiting.get(reply.id)) is not None and not future.done():
            future.set_result(reply)

    async def _answer(
        self,
        known: Mapping[tuple[str, int], tuple[type[Request[Any]], Handler]],
        asking: str,
        fields: dict[bytes, bytes],
        age_ms: int,
    ) -> None:
        envelope = _opened(fields.get(b"request", b""))
        if envelope is None or not envelope.asker.startswith(f"{asking}:"):
            self._passed_over.note("request", asking=asking)
            return
        if age_ms > envelope.timeout_ms:
            log.info("late request dropped", type=envelope.type, age_ms=age_ms)
            return
        with structlog.contextvars.bound_contextvars(request_id=envelope.request_id):
            reply = await _handle(envelope, known)
        await self._reply(envelope.asker, reply)

    async def _reply(self, asker: str, reply: Reply) -> None:
        stream = names.replies(self._service, asker)
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.xadd(stream, {"reply": pack(reply)}, maxlen=REPLIES_LENGTH, approximate=True)
            pipeline.expire(stream, REPLIES_KEPT_S)
            await pipeline.execute()


async def _handle(envelope: Envelope, known: Mapping[tuple[str, int], tuple[type[Request[Any]], Handler]]) -> Reply:
    try:
        kind, handler = known[envelope.type, envelope.version]
        answer = await handler(unpack(envelope.body, kind))
    except Refusal as refusal:
        fault = Fault(type=refusal.type, message=refusal.message, retry_after_s=refusal.retry_after_s)
        return Reply(id=envelope.id, fault=fault)
    except (KeyError, MalformedMessage):
        log.warning("request not understood", type=envelope.type, version=envelope.version)
        return Reply(id=envelope.id, fault=_unexpected("The request was not understood."))
    except Exception as error:  # the requester gets a refusal, the log the cause, and the server goes on
        if is_away(error):
            log.warning("the database is unavailable", type=envelope.type, error=repr(error))
            return Reply(
                id=envelope.id, fault=Fault(type=ErrorType.PRINCIPAL_UNAVAILABLE, message=AWAY, retry_after_s=1)
            )
        log.exception("a request failed", type=envelope.type)
        return Reply(id=envelope.id, fault=_unexpected("The request failed."))
    return Reply(id=envelope.id, body=msgspec.Raw(pack(answer)))


def _opened(request: bytes) -> Envelope | None:
    try:
        return unpack(request, Envelope, most=REQUEST_BYTES)
    except MalformedMessage:
        return None


def _order(id_: bytes) -> tuple[int, ...]:
    return tuple(map(int, id_.split(b"-")))


def _unexpected(message: str) -> Fault:
    return Fault(type=ErrorType.GENERAL_SERVER_ERROR, message=message)


def _open(reply: Reply, request: Request[A]) -> A:
    if reply.fault is not None:
        fault = reply.fault
        type_ = ErrorType.__members__.get(fault.type.upper(), ErrorType.GENERAL_SERVER_ERROR)
        raise Refusal(type_, fault.message, retry_after_s=fault.retry_after_s)
    try:
        return cast("A", unpack(reply.body, request.ANSWER))
    except MalformedMessage as error:
        raise Unavailable(
            f"The {request.SERVICE} service answered in a way that this release does not know."
        ) from error
