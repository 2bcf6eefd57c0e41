"""Validation: what was given becomes the struct that the endpoint declares, or Appwrite's error for the first fault."""

import re
import types
import typing
from collections.abc import Callable
from typing import Annotated, Union

import msgspec

from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.kernel.ids import CUSTOM_ID_PATTERN, ID_PATTERN, is_id
from shared.web.given import Given

_ID_RULE = (
    "must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, period, hyphen, and underscore. "
    "Can't start with a special char"
)

Id = Annotated[str, msgspec.Meta(pattern=ID_PATTERN, description=_ID_RULE)]
"""The id of something that exists, or the key of a column or index."""

CustomId = Annotated[str, msgspec.Meta(pattern=CUSTOM_ID_PATTERN, description=_ID_RULE)]
"""An id chosen by the caller, or `unique()`; see `shared.kernel.ids.chosen_id`."""

_BOOLEANS: dict[object, bool] = {"true": True, "1": True, 1: True, "false": False, "0": False, 0: False}
_DIGITS = re.compile(r"-?[0-9]{1,30}\Z")
_INT64 = range(-(2**63), 2**63)


class Parameters:
    """The parameters of one endpoint, prepared once."""

    def __init__(self, kind: type[msgspec.Struct], placeholders: tuple[str, ...]) -> None:
        self._kind = kind
        self._placeholders = placeholders
        self._fields = msgspec.structs.fields(kind)
        # What has a pattern of its own is checked by that; everything else in a path must be an id.
        self._plain = frozenset(f.encode_name for f in self._fields if not _has_pattern(f.type))
        self._nullable = frozenset(f.encode_name for f in self._fields if f.required and _is_nullable(f.type))
        bases = {f.encode_name: _base(f.type) for f in self._fields}
        self._coercions = [(name, _COERCIONS[base]) for name, base in bases.items() if base in _COERCIONS]
        self.lists = frozenset(name for name, base in bases.items() if base in {list, tuple, set, frozenset})

    def parse(self, given: Given, path: list[str]) -> msgspec.Struct:
        """Return the parameters; raises `ArgumentInvalid`, or `Refusal` of that type where one is missing."""
        if given.fault is not None:
            raise given.fault
        values = given.values
        for name, value in zip(self._placeholders, path, strict=True):
            if name in self._plain and not is_id(value):
                raise ArgumentInvalid(name, _ID_RULE)
            values[name] = value
        if None in values.values():
            values = {name: value for name, value in values.items() if value is not None or name in self._nullable}
        for name, coerce in self._coercions:
            if name in values:
                values[name] = coerce(name, values[name])
        try:
            return msgspec.convert(values, self._kind)
        except (msgspec.ValidationError, RecursionError) as error:
            raise self._fault(values, error) from None

    def _fault(self, values: dict[str, object], fault: Exception) -> Refusal:
        for field in self._fields:
            name = field.encode_name
            if name not in values:
                if field.required:
                    return Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, f'Param "{name}" is not optional.')
                continue
            try:
                msgspec.convert(values[name], field.type)
            except msgspec.ValidationError as error:
                return ArgumentInvalid(name, _reason(field.type, error))
            except RecursionError:
                return ArgumentInvalid(name, "Nested too deeply")
        # Each is good by itself: the struct's own `__post_init__` has spoken.
        return Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, str(fault))


def _reason(kind: object, error: msgspec.ValidationError) -> str:
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
