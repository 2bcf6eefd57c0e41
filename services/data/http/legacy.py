"""The older API of the same things, Databases: each endpoint of TablesDB has a twin, which is made of its declaration.

Parameters are read by their older names into a subclass of what the handler takes. Models and refusals are renamed on
their way out. Rows are not: PostgreSQL writes them in the words of the naming that the twins' `deps` carry.
"""

import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from services.data.domain.naming import old_name, old_text
from services.data.http import bulk_rows, columns, databases, indexes, rows, tables
from services.data.operations.deps import DataDeps
from shared.contracts.ids import RowId
from shared.kernel.errors import ErrorType, Refusal
from shared.web.call import JSON
from shared.web.endpoint import Call, Endpoint, RateLimit, Reply, Routes
from shared.web.parameters import CustomIdOf

MODULES = (databases, tables, columns, indexes, rows, bulk_rows)
"""All that has a twin."""

TYPES = {type_: ErrorType[old_name(type_.value).upper()] for type_ in ErrorType}
"""The older name of each error type; most have but one."""

OTHERS: Mapping[type[msgspec.Struct], Mapping[str, object]] = {rows.UpsertRow: {"row_id": CustomIdOf[RowId]}}
"""Types of fields where a twin takes more than its endpoint does."""

routes = Routes[DataDeps]("databases")


def twin(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint of Databases that does the same."""
    return msgspec.structs.replace(
        endpoint,
        service=routes.service,
        name=old_name(endpoint.name),
        paths=tuple(old_name(path) for path in endpoint.paths),
        limit=_limit(endpoint.limit),
        errors=tuple(TYPES[type_] for type_ in endpoint.errors),
        handler=_handler(endpoint),
        params=None if endpoint.params is None else _struct(endpoint.params),
        answer=_type(endpoint.answer),
        summary=old_text(endpoint.summary),
    )


def _limit(limit: RateLimit | None) -> RateLimit | None:
    return limit and msgspec.structs.replace(limit, by=tuple(old_name(by) for by in limit.by))


def _handler(endpoint: Endpoint) -> Any:  # Any: a handler
    async def handler(call: Call[DataDeps], *params: msgspec.Struct) -> object:
        try:
            answer = await endpoint.handler(call, *params)
        except Refusal as refusal:
            raise _renamed_refusal(refusal) from refusal
        return _renamed_answer(answer)

    return handler


def _renamed_refusal(refusal: Refusal) -> Refusal:
    return Refusal(TYPES[refusal.type], old_text(refusal.message), retry_after_s=refusal.retry_after_s)


def _renamed_answer(answer: object) -> object:
    if isinstance(answer, Reply) and answer.content_type == JSON:
        renamed = _renamed(msgspec.json.decode(answer.body))
        return msgspec.structs.replace(answer, body=msgspec.json.encode(renamed))
    if isinstance(answer, msgspec.Struct) and not isinstance(answer, Reply):
        return Reply(body=msgspec.json.encode(_renamed(msgspec.to_builtins(answer))))
    return answer


def _renamed(value: Any) -> Any:  # Any: JSON
    if isinstance(value, dict):
        return {old_name(name): _renamed(one) for name, one in value.items()}
    return [_renamed(one) for one in value] if isinstance(value, list) else value


@cache
def _struct(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return a subclass with older names, of itself and of its fields on the wire; the same where none has another."""
    others = OTHERS.get(kind, {})
    fields = []
    for field in msgspec.structs.fields(kind):
        name, type_ = old_name(field.encode_name), others.get(field.name, _type(field.type))
        if name != field.encode_name or type_ != field.type:
            fields.append((field.name, type_, _field(field, name)))
    name = old_name(kind.__name__)
    if not fields and name == kind.__name__:
        return kind
    namespace = {"__doc__": old_text(kind.__doc__ or "")}
    return msgspec.defstruct(
        name, fields, bases=(kind,), module=__name__, namespace=namespace, frozen=True, kw_only=True
    )


def _field(known: msgspec.structs.FieldInfo, name: str) -> Any:  # Any: as msgspec has it
    if known.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(name=name, default_factory=known.default_factory)
    return msgspec.field(name=name) if known.required else msgspec.field(name=name, default=known.default)


def _type(kind: Any) -> Any:  # Any: whatever can be said of a field
    """Return a type with the structs in it renamed."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(kind)
    inner = typing.get_args(kind)
    renamed = tuple(_type(one) for one in inner)
    if renamed == inner:
        return kind
    origin: Any = typing.get_origin(kind)
    return (typing.Union if origin is types.UnionType else origin)[renamed]


for _module in MODULES:
    for _endpoint in _module.routes.endpoints:
        routes.add(twin(_endpoint))
