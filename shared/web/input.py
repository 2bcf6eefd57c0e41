"""The raw input of a request: the parameters of its query, or of its body, which stay JSON until their types are known.

A fault of the input is kept as `fault` and raised later: a caller without the right to call learns only that.
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

import msgspec
from aiohttp.web import BaseRequest
from multidict import istr

from shared.kernel.errors import ErrorType, Refusal

MAX_FIELDS = 1000
MAX_FORM_BYTES = 64 * 1024

PROJECT = "project"

NO_OBJECT = b"[]"
"""An empty object as PHP writes it, whose arrays are lists and objects alike."""

_CONTENT_TYPE = istr("Content-Type")
_PROJECT = istr("X-Appwrite-Project")
_FORM = "application/x-www-form-urlencoded"
_INDEXED = re.compile(r"(.+)\[[0-9]*\]\Z", re.DOTALL)
_NUL = rb"\u0000"
_text = msgspec.json.Decoder(str)


class RawInput(msgspec.Struct):
    """Parameters by name, or the fault that kept them from being read.

    From a query or a form they are texts and lists of texts; from a JSON body each is `msgspec.Raw`.
    """

    values: dict[str, object]
    fault: Refusal | None = None
    is_json: bool = False

    def text(self, name: str) -> str:
        """Return a parameter that is a text; empty where it is absent, or anything else."""
        value = self.values.get(name)
        if isinstance(value, msgspec.Raw):
            try:
                return _text.decode(value)
            except ValueError:
                return ""
        return value if isinstance(value, str) else ""


class Names:
    """The names of an endpoint's parameters; `lists` are those of arrays. Nothing else is read of a JSON body."""

    def __init__(self, names: Iterable[str] = (), lists: frozenset[str] = frozenset()) -> None:
        self.lists = lists
        self._names = tuple(dict.fromkeys((*names, PROJECT)))
        places = [f"p{place}" for place in range(len(self._names))]
        body = msgspec.defstruct(
            "Body",
            [(place, msgspec.Raw, None) for place in places],
            rename=dict(zip(places, self._names, strict=True)),
        )
        self._decoder = msgspec.json.Decoder(body)

    def find(self, body: bytes | bytearray) -> dict[str, object]:
        """Return those of them that a JSON body has, undecoded. Raises `ValueError`, `RecursionError`."""
        fields = msgspec.structs.astuple(self._decoder.decode(body))
        return {name: value for name, value in zip(self._names, fields, strict=True) if value is not None}


def is_in_query(request: BaseRequest, method: str) -> bool:
    """Say whether the parameters are in the query: those of a GET, and of a DELETE without a body."""
    return method == "GET" or (method == "DELETE" and not request.body_exists)


def is_form(request: BaseRequest) -> bool:
    """Say whether the body is a form; any other is JSON, whatever it is called."""
    return request.headers.get(_CONTENT_TYPE, "").lower().startswith(_FORM)


def parse_query(request: BaseRequest, names: Names) -> RawInput:
    """Read the query."""
    query = request.raw_path.partition("?")[2].partition("#")[0]
    return _pairs(query, names.lists) if query else RawInput({})


def parse_body(request: BaseRequest, body: bytes | bytearray, names: Names) -> RawInput:
    """Read a body, without decoding what is in it."""
    if not body:
        return RawInput({})
    return _pairs(bytes(body), names.lists) if is_form(request) else _json(body, names)


def from_pairs(pairs: list[tuple[str, str]], lists: frozenset[str]) -> RawInput:
    """Return the input that names and texts make; `lists` are the names of arrays."""
    if any("\0" in name or "\0" in value for name, value in pairs):
        return _faulty("The parameters must not contain NUL characters.")
    for name, _ in pairs:
        array, bracket, _ = name.partition("[")
        if bracket and array in lists and not _is_indexed(name, array):
            return _faulty(f"Invalid `{array}` param: its elements are named {array}[0], {array}[1], …, or {array}[]")
    return RawInput(_by_name(pairs, lists))


def named_project(request: BaseRequest, names: Names) -> str:
    """Return the id of the project that line and headers of a request with a body name: header, else query, or none."""
    return header_project(request) or parse_query(request, names).text(PROJECT)


def header_project(request: BaseRequest) -> str:
    """Return the id of the project that the header names; empty for none."""
    return request.headers.get(_PROJECT, "")


def _json(body: bytes | bytearray, names: Names) -> RawInput:
    try:
        values = names.find(body)
    except RecursionError:
        return _faulty("The body is nested too deeply.")
    except msgspec.ValidationError:
        if body.strip() == NO_OBJECT:
            return RawInput({}, is_json=True)
        return _faulty("The body must be a JSON object.")
    except ValueError:
        return _faulty("The body is not valid JSON.")
    # What remains without the pairs of backslashes escapes a character.
    if _NUL in body and _NUL in body.replace(rb"\\", b""):
        return _faulty("The body must not contain NUL characters.")
    return RawInput(values, is_json=True)


def _pairs(encoded: str | bytes, lists: frozenset[str]) -> RawInput:
    try:
        text = encoded.decode() if isinstance(encoded, bytes) else encoded
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        "".join(name + value for name, value in pairs).encode()
    except ValueError:
        return _faulty("The parameters are not valid UTF-8, or there are too many.")
    return from_pairs(pairs, lists)


def _is_indexed(name: str, array: str) -> bool:
    match = _INDEXED.match(name)
    return match is not None and match[1] == array


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


def _faulty(message: str) -> RawInput:
    return RawInput({}, Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, message))
