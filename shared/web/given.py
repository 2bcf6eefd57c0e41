"""What a request gives: its query, or its body, read before it is known who asks.

Whatever is wrong with it is kept as `fault` and raised later: who may not call is told so, and nothing else.
"""

import asyncio
import re
from urllib.parse import parse_qsl

import msgspec
from aiohttp.web import BaseRequest, HTTPRequestEntityTooLarge, RequestPayloadError
from multidict import istr

from shared.kernel.errors import ErrorType, Refusal

BODY_TIMEOUT_S = 120
"""For a whole body to come. aiohttp waits for ever where a chunked one turns into garbage."""

MAX_FIELDS = 1000

_CONTENT_LENGTH = istr("Content-Length")
_CONTENT_TYPE = istr("Content-Type")
_EXPECT = istr("Expect")
_PROJECT = istr("X-Appwrite-Project")
_FORM = "application/x-www-form-urlencoded"
_INDEXED = re.compile(r"(.+)\[[0-9]*\]\Z", re.DOTALL)
_JSON_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_decode = msgspec.json.Decoder().decode


class Given(msgspec.Struct):
    """Parameters by name as they were sent, or the fault that kept them from being read."""

    values: dict[str, object]
    fault: Refusal | None = None


async def read_given(request: BaseRequest, method: str, lists: frozenset[str]) -> Given:
    """Read the query of a GET, and of a DELETE without a body, the body of anything else; `lists` names the arrays.

    Raises `Refusal(GENERAL_PAYLOAD_TOO_LARGE)`, or `Refusal(GENERAL_BAD_REQUEST)` where the body breaks off.
    """
    if method == "GET" or (method == "DELETE" and not request.body_exists):
        query = _query(request)
        return _pairs(query, lists) if query else Given({})
    if not request.body_exists:
        return Given({})
    body = await _body(request)
    if not body:
        return Given({})
    if request.headers.get(_CONTENT_TYPE, "").lower().startswith(_FORM):
        return _pairs(body, lists)
    return _json(body)


def project_id(request: BaseRequest, method: str, given: Given) -> str:
    """Return the id of the project that is meant: parameter `project`, else the header, else the query."""
    named = given.values.get("project")
    if isinstance(named, str) and named:
        return named
    header = request.headers.get(_PROJECT)
    if header or method == "GET":
        return header or ""
    queried = _pairs(_query(request), frozenset()).values.get("project")
    return queried if isinstance(queried, str) else ""


def _query(request: BaseRequest) -> str:
    return request.raw_path.partition("?")[2].partition("#")[0]


async def _body(request: BaseRequest) -> bytes:
    # What is too much stays unread here: the server reads it off for a while, so that the client hears the answer.
    max_body_bytes = request.client_max_size
    announced = request.headers.get(_CONTENT_LENGTH, "")
    if announced.isdecimal() and int(announced) > max_body_bytes:
        raise _too_large(max_body_bytes)
    if request.headers.get(_EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except HTTPRequestEntityTooLarge:
        raise _too_large(max_body_bytes) from None
    except (RequestPayloadError, ConnectionError, TimeoutError):
        raise Refusal(ErrorType.GENERAL_BAD_REQUEST, "The body of the request cannot be read.") from None


def _too_large(max_body_bytes: int) -> Refusal:
    return Refusal(ErrorType.GENERAL_PAYLOAD_TOO_LARGE, f"A request may have at most {max_body_bytes} bytes of body.")


def _json(body: bytes) -> Given:
    try:
        values = _decode(body)
    except RecursionError:
        return _faulty("The body is nested too deeply.")
    except ValueError:
        return _faulty("The body is not valid JSON.")
    if not isinstance(values, dict):
        return _faulty("The body must be a JSON object.")
    if b"\\u0000" in body and _JSON_NUL.search(body):
        return _faulty("The body must not contain NUL characters.")
    return Given(values)


def _pairs(encoded: str | bytes, lists: frozenset[str]) -> Given:
    try:
        text = encoded.decode() if isinstance(encoded, bytes) else encoded
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        "".join(name + value for name, value in pairs).encode()
    except ValueError:
        return _faulty("The parameters are not valid UTF-8, or there are too many.")
    if any("\0" in name or "\0" in value for name, value in pairs):
        return _faulty("The parameters must not contain NUL characters.")
    return Given(_by_name(pairs, lists))


def _by_name(pairs: list[tuple[str, str]], lists: frozenset[str]) -> dict[str, object]:
    """Collect arrays, which come as `name[0]=…`, `name[]=…` or `name=…`; of anything else the last one counts."""
    values: dict[str, object] = {}
    for name, value in pairs:
        match = _INDEXED.match(name)
        array = match[1] if match else name
        if match is None and array not in lists:
            values[name] = value
            continue
        collected = values.setdefault(array, [])
        if isinstance(collected, list):
            collected.append(value)
    return values


def _faulty(message: str) -> Given:
    return Given({}, Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, message))
