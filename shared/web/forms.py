"""Forms with a file (multipart/form-data, RFC 7578): fields become parameters, the file is read in chunks.

Official SDKs send fields before the file and after it. So the parameters are complete only once the file has been read.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Generic, TypeVar, cast

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.kernel.errors import ErrorType, Refusal
from shared.web.input import MAX_FIELDS, MAX_FORM_BYTES, from_pairs
from shared.web.parameters import Parameters
from shared.web.uploads import Upload

P = TypeVar("P", bound=msgspec.Struct)

FORM = "multipart/form-data"
FILE_PART = "file"
"""The name of the part that is the file, as Appwrite has it."""

MAX_HEADERS = 8
MAX_HEADER_BYTES = 4 * 1024
"""Of each part: how many headers it may have, and how long each may be."""

PARSED_BYTES = 16 * 1024
"""So many are parsed at once; then the event loop has its turn."""

_ENCODINGS = frozenset({b"", b"7bit", b"8bit", b"binary"})


class File:
    """The file of a form, as chunks: `async for chunk in file`. Raises as `Upload` does, and as `Form.file`."""

    def __init__(self, name: str, content_type: str, chunks: AsyncGenerator[bytes, None]) -> None:
        self.name = name
        """The name that the client sent with it: any text, fit for nothing but to be shown."""
        self.content_type = content_type
        self._chunks = chunks

    def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Return the chunks, which can be read once."""
        return self._chunks


class Form(Generic[P]):
    """A form on its way in. `path` has the parameters of the path by name; they are there before anything is read."""

    def __init__(self, upload: Upload, path: Mapping[str, str], parameters: Parameters) -> None:
        """Raise `Refusal(GENERAL_ARGUMENT_INVALID)` where the body is no such form."""
        self.path = path
        self._parameters = parameters
        self._parts = _Parts(upload)
        self._fields: list[tuple[str, str]] = []
        self._bytes_left = MAX_FORM_BYTES
        self._file: File | None = None

    async def find_file(self) -> File | None:
        """Return the file, once the fields before it have been read; None where there is none.

        Raises `Refusal(GENERAL_ARGUMENT_INVALID)` where the form is malformed, and as `Upload` does.
        """
        if self._file is None:
            await self._read_fields()
        return self._file

    async def file(self) -> File:
        """Return the file; raises as `find_file` does, and `Refusal(GENERAL_ARGUMENT_INVALID)` where there is none."""
        if await self.find_file() is None or self._file is None:
            raise Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, f'Param "{FILE_PART}" is not optional.')
        return self._file

    async def params(self) -> P:
        """Return the parameters, once the whole form has been read; what is left of the file is dropped.

        Raises as `file` does, and `ArgumentInvalid`.
        """
        if self._file is None:
            await self._read_fields()
        if self._file is not None:
            async for _ in self._file:
                pass
            await self._read_fields()
        fields = from_pairs(self._fields, self._parameters.names.lists)
        return cast("P", self._parameters.parse(fields, list(self.path.values())))

    async def _read_fields(self) -> None:
        """Read fields until a file begins, or the form ends."""
        while isinstance(part := await self._parts.next(), _Head):
            if part.filename is not None:
                self._begin_file(part)
                return
            if len(self._fields) >= MAX_FIELDS:
                raise _malformed("it has too many fields")
            self._fields.append((part.name, await self._read_field(len(part.name))))

    def _begin_file(self, head: "_Head") -> None:
        if self._file is not None:
            raise _malformed("it has more than one file")
        if head.name != FILE_PART:
            raise _malformed(f"its file must be the part {FILE_PART}")
        self._file = File(head.filename or "", head.content_type, self._parts.data())

    async def _read_field(self, taken: int) -> str:
        value = bytearray()
        async for data in self._parts.data():
            value += data
            if len(value) > self._bytes_left - taken:
                raise _malformed(f"its fields have more than {MAX_FORM_BYTES} bytes")
        self._bytes_left -= taken + len(value)
        return _text(bytes(value))


class _Head(msgspec.Struct, frozen=True):
    """How a part begins. `filename` None: it is a field."""

    name: str
    filename: str | None
    content_type: str


class _Parts:
    """The parts of a form, one after the other: for each its head, then its data. What is pushed is pulled here."""

    def __init__(self, upload: Upload) -> None:
        kind, options = parse_options_header(upload.content_type)
        boundary = options.get(b"boundary")
        if kind.decode("latin-1") != FORM or not boundary:
            raise _malformed(f"its Content-Type must be {FORM}, with a boundary")
        self._upload = upload
        self._unparsed = b""
        self._events: deque[_Head | bytes | None] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._header = (bytearray(), bytearray())
        self._is_complete = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": lambda: self._events.append(_head(self._headers)),
                    "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                    "on_part_end": lambda: self._events.append(None),
                    "on_end": self._complete,
                },
                max_header_count=MAX_HEADERS,
                max_header_size=MAX_HEADER_BYTES,
            )
        except FormParserError:
            raise _malformed("its boundary is too long") from None
        self._parser.logger.disabled = True  # it would log what was sent

    async def next(self) -> _Head | None:
        """Return the head of the next part, None after the last."""
        while True:
            while not self._events:
                if not await self._read():
                    return None
            if isinstance(head := self._events.popleft(), _Head):
                return head

    async def data(self) -> AsyncGenerator[bytes, None]:
        """Yield the data of the part whose head was returned last."""
        while True:
            while not self._events:
                await self._read()
            data = self._events.popleft()
            if not isinstance(data, bytes):
                return
            yield data

    async def _read(self) -> bool:
        """Parse a little more; False at the end of the form. Raises `Refusal` where that comes too early."""
        chunk = self._unparsed or await self._upload.read()
        if not chunk and not self._is_complete:
            raise _malformed("it breaks off")
        self._unparsed = chunk[PARSED_BYTES:]
        try:
            self._parser.write(chunk[:PARSED_BYTES])
        except FormParserError:
            raise _malformed("its parts cannot be told apart") from None
        await asyncio.sleep(0)
        return bool(chunk)

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        name.clear()
        value.clear()

    def _complete(self) -> None:
        self._is_complete = True


def _head(headers: Mapping[bytes, bytes]) -> _Head:
    kind, options = parse_options_header(headers.get(b"content-disposition"))
    name, filename = options.get(b"name"), options.get(b"filename")
    if kind != b"form-data" or not name:
        raise _malformed("a part has no name")
    if headers.get(b"content-transfer-encoding", b"").lower() not in _ENCODINGS:
        raise _malformed("a part has a Content-Transfer-Encoding")
    content_type = headers.get(b"content-type", b"").decode("latin-1")
    return _Head(_text(name), None if filename is None else filename.decode("utf-8", "replace"), content_type)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise _malformed("its fields are not valid UTF-8") from None


def _malformed(reason: str) -> Refusal:
    return Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, f"The form is malformed: {reason}.")
