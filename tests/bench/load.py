"""A load generator that costs little: raw HTTP/1.1 over a few kept connections, in the process of the benchmark."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

END_OF_HEAD = b"\r\n\r\n"
LAST_CHUNK = b"\r\n0\r\n\r\n"
GOOD = (b"HTTP/1.1 200", b"HTTP/1.1 201")


@dataclass(frozen=True)
class Target:
    """A request, as bytes, and the port on 127.0.0.1 that it goes to. `fresh` makes another one for each time."""

    port: int
    request: bytes
    fresh: Callable[[], bytes] | None = None

    def next(self) -> bytes:
        """Return the request to be sent now."""
        return self.fresh() if self.fresh else self.request

    @classmethod
    def get(cls, port: int, path: str, headers: dict[str, str] | None = None) -> "Target":
        return cls.of("GET", port, path, headers)

    @classmethod
    def sending(
        cls, method: str, port: int, headers: dict[str, str], paths: Callable[[], str], bodies: Callable[[], str]
    ) -> "Target":
        """Requests with JSON bodies, each to a path and with a body of its own."""
        named = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())

        def fresh() -> bytes:
            body = bodies().encode()
            head = f"{method} {paths()} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
            return head.encode() + body

        return cls(port, fresh(), fresh)

    @classmethod
    def of(cls, method: str, port: int, path: str, headers: dict[str, str] | None = None) -> "Target":
        """A request without a body."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        return cls(port, ("\r\n".join(lines) + "\r\n\r\n").encode())


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last has been read."""

    def __init__(self, target: Target, deadline: float) -> None:
        self._target = target
        self._deadline = deadline
        self._buffer = bytearray()
        self.answers = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(self._target.next())

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        head = buffer.find(END_OF_HEAD)
        if head < 0 or not _is_whole(buffer, head):
            return
        if not buffer.startswith(GOOD):
            self._end(AssertionError(bytes(buffer[:300])))
            return
        buffer.clear()
        self.answers += 1
        if time.perf_counter() < self._deadline:
            self._transport.write(self._target.next())
        else:
            self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))

    def _end(self, error: Exception | None) -> None:
        if not self.done.done():
            if error is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(error)
        self._transport.close()


def _is_whole(buffer: bytearray, head: int) -> bool:
    """Say whether the body is there: as long as the head says, or up to its last chunk."""
    start = buffer.lower().find(b"content-length:", 0, head)
    if start < 0:
        return b"chunked" not in buffer[:head] or buffer.endswith(LAST_CHUNK)
    return len(buffer) >= head + 4 + int(buffer[start + len(b"content-length:") : buffer.find(b"\r", start)])


class Timed(NamedTuple):
    """An answer's status, and when the request was sent and the answer read, by `time.perf_counter`."""

    status: int
    sent: float
    read: float

    @property
    def milliseconds(self) -> float:
        return (self.read - self.sent) * 1000


class Client(asyncio.Protocol):
    """A kept connection on which one request at a time is asked and timed."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @classmethod
    async def open(cls, port: int) -> Self:
        return (await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port))[1]

    async def ask(self, target: Target) -> Timed:
        """Send the request of a target, whatever its port; return the answer."""
        self._answer: asyncio.Future[tuple[int, float]] = asyncio.get_running_loop().create_future()
        sent = time.perf_counter()
        self._transport.write(target.next())
        status, read = await self._answer
        return Timed(status, sent, read)

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        head = buffer.find(END_OF_HEAD)
        if head >= 0 and _is_whole(buffer, head):
            self._answer.set_result((int(buffer[9:12]), time.perf_counter()))
            buffer.clear()

    def connection_lost(self, error: Exception | None) -> None:
        answer = getattr(self, "_answer", None)
        if answer is not None and not answer.done():
            answer.set_exception(error or ConnectionError("the server closed the connection"))


async def requests_per_second(target: Target, *, connections: int = 16, seconds: float = 1.0) -> float:
    """Ask as fast as the answers come, and count them; anything but 200 and 201 is an error."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    opened = [
        (await loop.create_connection(lambda: Connection(target, started + seconds), "127.0.0.1", target.port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for connection in opened))
    return sum(connection.answers for connection in opened) / (time.perf_counter() - started)


async def rounds(targets: Sequence[Target], *, count: int = 7, seconds: float = 1.0) -> list[list[float]]:
    """Measure each target once per round, in another order each time; return the rates, round by round.

    So noise, and whatever one run leaves behind for the next, falls on all alike.
    """
    for target in targets:
        await requests_per_second(target, seconds=0.3)
    found = []
    for turn in range(count):
        rates = dict.fromkeys(range(len(targets)), 0.0)
        for place in range(len(targets)):
            at = (place + turn) % len(targets)
            rates[at] = await requests_per_second(targets[at], seconds=seconds)
        found.append(list(rates.values()))
    return found
