"""SQL in the place of each value that an endpoint takes, as declared, and a canary that sings when any is run."""

import contextlib
import json
import typing
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Union
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from yarl import URL

from shared.contracts.credentials import SessionSecret
from shared.guard.guard import Guard
from shared.kernel.ids import CUSTOM_ID_PATTERN
from shared.postgres.pool import Connection, Pool
from shared.web.endpoint import Endpoint
from tests.wire import pairs

SONG = "nextval('canary.song')"
"""A database that runs it has a trace, even in a transaction that is rolled back."""

TEXTS = [
    f"'||{SONG}||'",
    f"') OR {SONG} > 0; --",
    f'"; SELECT {SONG}; --',
    SONG,
    "\\'{}{0.x} %s %(x)s $1 $$",
    "NUL\0",
    "half \ud800",
]
"""SQL for inside each kind of quotes and for outside, and what formats, parameters and encodings stumble over."""

HEADERS = {
    "X-Appwrite-Project": "{}",
    "X-Appwrite-Key": "{}",
    "X-Appwrite-JWT": "{}",
    "X-Appwrite-Session": "{}",
    "X-Fallback-Cookies": "{}",
    "Cookie": "a_session_library={}",
    "X-Forwarded-For": "fe80::1%{}",
    "X-Forwarded-Host": "{}",
    "X-Forwarded-Proto": "{}",
    "Origin": "{}",
    "Referer": "https://{}/",
    "Host": "{}",
    "User-Agent": "{}",
    "Accept": "{}",
    "Content-Type": "{}",
    "X-Request-Id": "{}",
    "X-Appwrite-Timestamp": "{}",
    "X-Appwrite-Response-Format": "{}",
    "X-Appwrite-Impersonate-User-Id": "{}",
    "X-Daypass-Explain": "user:{}",
}
HEADER_TEXTS = [text for text in TEXTS if text.isprintable()]

Values = Mapping[str, Any]
Database = Union["Connection", "Pool"]


class Canary:
    """Sings when SQL of TEXTS has been run in its database."""

    def __init__(self, connection: Database) -> None:
        self._connection = connection

    async def has_sung(self) -> bool:
        """Say whether any has, since the beginning."""
        return bool(await self._connection.fetchval("SELECT is_called FROM canary.song"))


@contextlib.asynccontextmanager
async def open_canary(connection: Database) -> AsyncIterator[Canary]:
    """Put one where every role hears of it; the connection's role may make schemas."""
    await connection.execute(
        "CREATE SCHEMA canary; CREATE SEQUENCE canary.song;"
        " GRANT USAGE ON SCHEMA canary TO PUBLIC; GRANT USAGE ON SEQUENCE canary.song TO PUBLIC"
    )
    yield Canary(connection)
    await connection.execute("DROP SCHEMA canary CASCADE")


@dataclass(frozen=True)
class Attempt:
    """A request; `path` has its query."""

    method: str
    path: str
    body: Values | None


@dataclass(frozen=True)
class Target:
    """A running service."""

    http: aiohttp.ClientSession
    url: str
    guard: Guard
    patience: int = 5

    async def send(self, attempt: Attempt, headers: Mapping[str, str]) -> int:
        """Make a request; return the status, having checked that an error is one of Appwrite's, and none of ours."""
        for _ in range(self.patience):
            await self.guard.reader.until_leased(20)
            status, error = await self._send(attempt, headers)
            if error != "principal_unavailable":
                break
        assert status != 500, (attempt, headers)
        return status

    async def _send(self, attempt: Attempt, headers: Mapping[str, str]) -> tuple[int, str]:
        url = URL(self.url + attempt.path, encoded=True)
        sent = None if attempt.body is None else json.dumps(attempt.body)
        kind = {"Content-Type": "application/json"} if sent is not None else {}
        async with self.http.request(attempt.method, url, headers=kind | dict(headers), data=sent) as answer:
            body = await answer.read()
        if answer.status < 400:
            return answer.status, ""
        said = msgspec.json.decode(body)
        assert set(said) == {"message", "code", "type", "version"}, (attempt, headers, said)
        assert said["code"] == answer.status
        return answer.status, said["type"]


def chosen_values(endpoint: Endpoint, known: Values) -> dict[str, Any]:
    """Return a value for each of an endpoint's parameters, of those that are known by name; KeyError: there is none.

    Where a caller chooses the id of what is to be made, and nothing else is known, it is left to the service.
    """
    values = {}
    for field in () if endpoint.params is None else msgspec.structs.fields(endpoint.params):
        name = field.encode_name
        is_new = name not in endpoint.placeholders() and any(
            map(_is_chosen, (field.type, *typing.get_args(field.type)))
        )
        values[name] = "unique()" if is_new else known[name]
    return values


def write(endpoint: Endpoint, values: Values) -> Attempt:
    """Write a request as the SDKs do."""
    path, sent = endpoint.paths[0], dict(values)
    for name in endpoint.placeholders():
        path = path.replace(f"{{{name}}}", _quoted(str(sent.pop(name))))
    if endpoint.method != "GET":
        return Attempt(endpoint.method, path, sent)
    given = {name: value for name, value in sent.items() if value is not None}
    return Attempt(endpoint.method, f"{path}?{urlencode(list(pairs(given)), errors='surrogatepass')}", None)


def attempts(endpoint: Endpoint, values: Values, text: str) -> Iterator[Attempt]:
    """Yield the request with a text in the place of each value, or of a part of it."""
    for name, value in values.items():
        for one in _with(text, value):
            if isinstance(one, str) or name not in endpoint.placeholders():
                yield write(endpoint, {**values, name: one})


def header_attempts(text: str) -> Iterator[dict[str, str]]:
    """Yield each header with a text in it that fits into one."""
    for name, template in HEADERS.items():
        yield {name: template.format(quote(text) if name == "Cookie" else text)}
    secret = SessionSecret(text, text).wire()
    yield {"X-Appwrite-Session": secret}
    yield {"Cookie": f"a_session_library={secret}"}
    yield {"X-Fallback-Cookies": json.dumps({"a_session_library": secret})}


def _with(text: str, value: object) -> Iterator[object]:
    """Yield a value with the text for it, and for each key and value in it, in JSON inside texts too."""
    yield text
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {text if one == key else one: kept for one, kept in value.items()}
            yield from ({**value, key: one} for one in _with(text, inner))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], one, *value[place + 1 :]] for one in _with(text, inner))
    elif isinstance(value, str) and value.startswith("{"):
        yield from (json.dumps(one) for one in _with(text, json.loads(value)) if one != text)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _is_chosen(kind: object) -> bool:
    """Whether a type is that of an id which the caller chooses, of whatever noun."""
    return any(getattr(meta, "pattern", None) == CUSTOM_ID_PATTERN for meta in getattr(kind, "__metadata__", ()))
