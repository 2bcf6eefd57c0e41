"""Validation: raw input becomes the struct that the endpoint declares, or Appwrite's error for the first fault."""

import re
import types
import typing
from collections.abc import Callable
from typing import Annotated, TypeVar, Union

import msgspec

from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.kernel.ids import CUSTOM_ID_PATTERN, ID_PATTERN, is_id
from shared.web.input import NO_OBJECT, Names, RawInput

_ID_RULE = (
    "must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, period, hyphen, and underscore. "
    "Can't start with a special char"
)

IdT = TypeVar("IdT", bound=str)
"""The type of the ids of a noun; see `shared.contracts.ids`."""

IdOf = Annotated[IdT, msgspec.Meta(pattern=ID_PATTERN, description=_ID_RULE)]
"""The id of something that exists."""

CustomIdOf = Annotated[IdT, msgspec.Meta(pattern=CUSTOM_ID_PATTERN, description=_ID_RULE)]
"""An id chosen by the caller, or `unique()`; see `shared.kernel.ids.chosen_id`."""

Id = IdOf[str]
"""An id without a type of its own, or the key of a column or index."""

CustomId = CustomIdOf[str]

_SCALAR = bool | int | float | str | None
"""What may become a number or a truth."""

_BOOLEANS: dict[object, bool] = {
    "true": True, "True": True, "1": True, 1: True, "false": False, "False": False, "0": False, 0: False,
}  # fmt: skip
"""As JSON and the official SDKs write a truth in a query: .NET `True`, PHP `1`, all others `true`."""
_DIGITS = re.compile(r"-?[0-9]{1,30}\Z")
_INT64 = range(-(2**63), 2**63)


class _Field:
    """One parameter, prepared to be read by itself."""

    def __init__(self, field: msgspec.structs.FieldInfo) -> None:
        self.name = field.encode_name
        self.attribute = field.name
        self.kind = field.type
        self.base = _base(field.type)
        self.is_required = field.required
        self.takes_null = field.required and _is_nullable(field.type)
        # What has a pattern of its own is checked by that; everything else in a path must be an id.
        self.is_plain = not _has_pattern(field.type)
        self.coerce = _COERCIONS.get(self.base)
        self.is_raw = self.base is msgspec.Raw
        self._decoder = msgspec.json.Decoder(_SCALAR if self.coerce is not None else field.type)

    def read(self, value: object) -> object:
        """Return the value of a parameter, of its type; raises `ArgumentInvalid`."""
        try:
            if isinstance(value, msgspec.Raw):
                if self.base is dict and bytes(value) == NO_OBJECT:
                    return {}
                value = value if self.is_raw else self._decoder.decode(value)
                if self.coerce is None:
                    return value
            elif self.is_raw:
                return msgspec.Raw(msgspec.json.encode(value))
            return msgspec.convert(value if self.coerce is None else self.coerce(self.name, value), self.kind)
        except RecursionError:
            raise ArgumentInvalid(self.name, "Value is nested too deeply") from None
        except ValueError as error:
            raise ArgumentInvalid(self.name, _reason(self.kind, error)) from None


class Parameters:
    """The parameters of one endpoint, prepared once."""

    def __init__(self, kind: type[msgspec.Struct], placeholders: tuple[str, ...]) -> None:
        self._kind = kind
        self._placeholders = placeholders
        self._fields = [_Field(field) for field in msgspec.structs.fields(kind)]
        self._plain = frozenset(field.name for field in self._fields if field.is_plain)
        self._coercions = [(field.name, field.coerce) for field in self._fields if field.coerce is not None]
        self.names = Names(
            (field.name for field in self._fields),
            frozenset(field.name for field in self._fields if field.base in {list, tuple, set, frozenset}),
        )

    def parse(self, raw: RawInput, path: list[str]) -> msgspec.Struct:
        """Return the parameters; raises `ArgumentInvalid`, or `Refusal` of that type where one is missing."""
        if raw.fault is not None:
            raise raw.fault
        values = raw.values
        for name, value in zip(self._placeholders, path, strict=True):
            if name in self._plain and not is_id(value):
                raise ArgumentInvalid(name, _ID_RULE)
            values[name] = value
        if raw.is_json:
            return self._each(values)
        for name, coerce in self._coercions:
            if name in values:
                values[name] = coerce(name, values[name])
        try:
            return msgspec.convert(values, self._kind)
        except msgspec.ValidationError:
            return self._each(values)

    def read_path(self, path: list[str]) -> dict[str, str]:
        """Return the parameters of the path by name, each of which is what it must be; raises `ArgumentInvalid`."""
        values = dict(zip(self._placeholders, path, strict=True))
        for field in self._fields:
            if field.name not in values:
                continue
            if field.is_plain and not is_id(values[field.name]):
                raise ArgumentInvalid(field.name, _ID_RULE)
            field.read(values[field.name])
        return values

    def _each(self, values: dict[str, object]) -> msgspec.Struct:
        """Return the parameters, read in the order of declaration, so that the first wrong one is refused."""
        read = {}
        for field in self._fields:
            value = values.get(field.name)
            if value is None or (not field.takes_null and isinstance(value, msgspec.Raw) and bytes(value) == b"null"):
                if field.is_required:
                    raise Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, f'Param "{field.name}" is not optional.')
                continue
            read[field.attribute] = field.read(value)
        try:
            return self._kind(**read)
        except ValueError as error:
            # Each is good by itself: the struct's own `__post_init__` has spoken.
            raise Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, str(error)) from None


def _reason(kind: object, error: ValueError) -> str:
    """Return the type's own words for its rule where it has some, else those of msgspec."""
    text = str(error)
    if " matching regex " in text:
        return next((meta.description for meta in _metas(kind) if meta.description), text)
    return text


def _metas(kind: object) -> list[msgspec.Meta]:
    return [meta for meta in getattr(kind, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]


def _has_pattern(kind: object) -> bool:
    return any(meta.pattern for meta in _metas(kind))


def _boolean(_: str, value: object) -> object:
    return _BOOLEANS.get(value, value) if isinstance(value, (str, int)) else value


def _integer(name: str, value: object) -> object:
    if (isinstance(value, str) and _DIGITS.match(value)) or (isinstance(value, float) and value.is_integer()):
        value = int(value)
    if isinstance(value, int) and value not in _INT64:
        raise ArgumentInvalid(name, "Value must be a 64-bit integer")
    return value


def _number(_: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return number if abs(number) < float("inf") else value


_COERCIONS: dict[object, Callable[[str, object], object]] = {bool: _boolean, int: _integer, float: _number}


def _members(kind: object) -> list[object]:
    while typing.get_origin(kind) is Annotated:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) in {Union, types.UnionType}:
        return [member for part in typing.get_args(kind) for member in _members(part)]
    return [kind]


def _is_nullable(kind: object) -> bool:
    return type(None) in _members(kind)


def _base(kind: object) -> object:
    """Return the one type behind annotations, unions with None and parameters: `list` for `list[str] | None`."""
    bases = {typing.get_origin(m) or m for m in _members(kind) if m not in {type(None), msgspec.UnsetType}}
    return bases.pop() if len(bases) == 1 else None
