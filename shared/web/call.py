"""Calls and replies: what a handler receives, and what it may return besides a model."""

from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from aiohttp.web import BaseRequest
from multidict import istr

from shared.appwrite import cookies
from shared.appwrite.clientinfo import ClientInfo, Edge
from shared.contracts.credentials import SessionSecret
from shared.contracts.ids import ProjectId
from shared.contracts.principal import Principal, Project, guest
from shared.kernel.hosts import parse_address
from shared.web.counts import Counts
from shared.web.request_id import HEADER as REQUEST_ID

D = TypeVar("D")

JSON = "application/json; charset=UTF-8"
TEXT = "text/plain; charset=UTF-8"

_ALWAYS = ((istr("Server"), "Daypass"), (istr("X-Content-Type-Options"), "nosniff"))

_PASSED_ON = (istr("Forwarded"), istr("Via"), istr("X-Forwarded-For"), istr("X-Real-Ip"))

NO_PROJECT = Project(id=ProjectId(""), name="")
NOBODY = guest(ProjectId(""))


class Reply(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An answer that is rendered already. `status` 0 is the endpoint's own."""

    body: bytes
    content_type: str = JSON
    status: int = 0


class Stream:
    """An answer that is sent in parts, as they are made. What is wrong from the start is raised before it.

    A part that cannot be made breaks the connection off, and so does the end of the caller: what was sent by then is
    not taken for the whole. `length` is that of all parts together, None if it is not known.
    """

    __slots__ = ("content_type", "first", "length", "rest")

    def __init__(
        self, first: bytes, rest: AsyncGenerator[bytes, None], *, content_type: str = JSON, length: int | None = None
    ) -> None:
        self.first = first
        self.rest = rest
        self.content_type = content_type
        self.length = length


class Blob(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of bytes whose number is known, and of which a GET may ask for a range (`shared.web.ranges`).

    `read` makes those from a number up to another, which is not among them. `etag` is quoted, and changes with the
    bytes.
    """

    size: int
    etag: str
    content_type: str
    read: Callable[[int, int], AsyncGenerator[bytes, None]]


class Call(Generic[D]):
    """One request, authenticated, on its way to a handler.

    `deps` is what the service's composition gave to its routes. `principal` is whose rights count; `user` is the
    principal of the session or JWT that came along, which an API key beside it outranks but does not hide. `counts` is
    where handlers count what this caller does, None: nowhere. `is_foreign`: a page that may not call the project sent
    this. `is_cut_off`: the body was not read to its end, so the connection ends with the answer. Headers added
    here are sent with errors too: a cookie is cleared even where the answer is a refusal.
    """

    __slots__ = (
        "_client",
        "_edge",
        "_request",
        "counts",
        "deps",
        "headers",
        "is_cut_off",
        "is_foreign",
        "principal",
        "project",
        "request_id",
        "user",
    )

    deps: D

    def __init__(self, request: BaseRequest, request_id: str, edge: Edge) -> None:
        self._request = request
        self._edge = edge
        self._client: ClientInfo | None = None
        self.request_id = request_id
        self.is_foreign = False
        self.is_cut_off = False
        self.project = NO_PROJECT
        self.principal: Principal = NOBODY
        self.user: Principal | None = None
        self.counts: Counts | None = None
        self.headers: list[tuple[str, str]] = [(REQUEST_ID, request_id), *_ALWAYS]

    @property
    def client(self) -> ClientInfo:
        """Where the request came from: address, scheme, host."""
        if self._client is None:
            self._client = self._edge.client(self._request)
        return self._client

    @property
    def is_local(self) -> bool:
        """Whether this machine sent the request, and no proxy on it passed it on."""
        address = parse_address(self._request.remote or "")
        headers = self._request.headers
        return address is not None and address.is_loopback and not any(name in headers for name in _PASSED_ON)

    @property
    def session_secret(self) -> SessionSecret | None:
        """The session secret that was sent, good or not."""
        return cookies.find_secret(self.project.id, self._request.headers, self._edge.cookies).secret

    def header(self, name: str) -> str:
        """Return a request header, empty where there is none."""
        return self._request.headers.get(name, "")

    def add_header(self, name: str, value: str) -> None:
        """Send a header with the answer, whatever it will be."""
        self.headers.append((name, value))

    def set_session_cookies(self, secret: SessionSecret, expires: datetime) -> None:
        """Send the two session cookies, and `X-Fallback-Cookies` where the browser would not keep them."""
        self.headers += cookies.session_cookies(
            self.project.id, secret.wire(), expires, self.client, self._edge.cookies
        )
        self._add_fallback(cookies.fallback(self.project.id, secret.wire()))

    def clear_session_cookies(self) -> None:
        """Delete the two session cookies, and what a browser keeps in their place."""
        self.headers += cookies.expired_cookies(self.project.id, self.client, self._edge.cookies)
        self._add_fallback(cookies.NO_FALLBACK)

    def _add_fallback(self, value: str) -> None:
        # It puts the secret within reach of a script: never of one on a page that may not call.
        if self.is_foreign:
            return
        page = self.header("Origin") or self.header("Referer")
        if not cookies.are_kept(self.client.host, page):
            self.headers.append((cookies.FALLBACK_HEADER, value))
