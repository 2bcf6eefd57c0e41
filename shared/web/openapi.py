"""The OpenAPI 3.1 document, from the declarations alone: the same endpoints always give the same bytes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from shared.kernel.errors import ErrorType
from shared.web.call import Blob, Reply, Stream
from shared.web.endpoint import Endpoint, Mode, RateLimit
from shared.web.errors import API_VERSION, ErrorBody
from shared.web.forms import FILE_PART, FORM
from shared.web.pipeline import HEALTH
from shared.web.scopes import Caller

Json = dict[str, Any]  # Any: JSON has no narrower type

FILE = Path(__file__).with_name("openapi.json")
"""The document of all services, in an installed package: the build writes it, a checkout has none."""

ANY_BYTES = "application/octet-stream"

_REF = "#/components/schemas/{name}"
_RESPONSE_REF = "#/components/responses/{name}"
_SCHEMES: Json = {
    "Project": {"type": "apiKey", "in": "header", "name": "X-Appwrite-Project"},
    "Key": {"type": "apiKey", "in": "header", "name": "X-Appwrite-Key"},
    "JWT": {"type": "apiKey", "in": "header", "name": "X-Appwrite-JWT"},
    "Session": {"type": "apiKey", "in": "header", "name": "X-Appwrite-Session"},
}
_OF_CALLERS = frozenset(
    {
        ErrorType.DATABASE_TIMEOUT,
        ErrorType.GENERAL_BUSY,
        ErrorType.GENERAL_UNKNOWN_ORIGIN,
        ErrorType.PRINCIPAL_UNAVAILABLE,
        ErrorType.PROJECT_ID_MISSING,
        ErrorType.PROJECT_KEY_EXPIRED,
        ErrorType.PROJECT_NOT_FOUND,
        ErrorType.USER_BLOCKED,
        ErrorType.USER_JWT_AND_COOKIE_SET,
        ErrorType.USER_JWT_INVALID,
        ErrorType.USER_UNAUTHORIZED,
    }
)
"""What every endpoint may answer that asks who is calling."""

_OF_BODIES = frozenset({ErrorType.GENERAL_PAYLOAD_TOO_LARGE, ErrorType.GENERAL_BAD_REQUEST})
_OF_MODES = {Mode.WEBSOCKET: {ErrorType.GENERAL_BAD_REQUEST}}

_CREDENTIALS = ((Caller.GUEST, ()), (Caller.SESSION, ("Session",)), (Caller.JWT, ("JWT",)), (Caller.KEY, ("Key",)))


def packaged() -> bytes | None:
    """Return the document of all services, None in a checkout."""
    return FILE.read_bytes() if FILE.exists() else None


def document(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the document of these endpoints as JSON."""
    declared = sorted(endpoints, key=lambda endpoint: (endpoint.paths[0], endpoint.method))
    schemas, components = _schemas(declared)
    refusals = {name: refusal for endpoint in declared for name, refusal in _refusals(endpoint, schemas).items()}
    paths: Json = {}
    for endpoint in declared:
        for path in endpoint.paths:
            paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, path, schemas)
    text = msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Daypass", "version": API_VERSION},
            "paths": paths,
            "components": {"schemas": components, "responses": refusals, "securitySchemes": _SCHEMES},
        },
        order="deterministic",
    )
    # Python's end of text is `\Z`; JSON Schema's regular expressions know only `$`.
    return text.replace(rb"\\Z", b"$")


def error_types(endpoint: Endpoint) -> set[ErrorType]:
    """Return every error that an endpoint may answer with: those that it declares, and those that go with its kind."""
    types = {ErrorType.GENERAL_ARGUMENT_INVALID, ErrorType.GENERAL_SERVER_ERROR, *endpoint.errors}
    types |= _OF_MODES.get(endpoint.mode, set())
    if endpoint.answer is Blob:
        types.add(ErrorType.STORAGE_INVALID_RANGE)
    if not HEALTH.issuperset(endpoint.paths):
        types.add(ErrorType.GENERAL_ACCESS_FORBIDDEN)
    if endpoint.callers is not Caller.PUBLIC:
        types |= _OF_CALLERS
    if endpoint.scopes:
        types.add(ErrorType.GENERAL_UNAUTHORIZED_SCOPE)
    if "queries" in _names(endpoint):
        types |= {ErrorType.GENERAL_QUERY_INVALID, ErrorType.GENERAL_CURSOR_NOT_FOUND}
    if endpoint.method != "GET":
        types |= _OF_BODIES
    if endpoint.limit is not None:
        types.add(ErrorType.GENERAL_RATE_LIMIT_EXCEEDED)
    if endpoint.auth_method:
        types.add(ErrorType.USER_AUTH_METHOD_UNSUPPORTED)
    if endpoint.forbids_session:
        types.add(ErrorType.USER_SESSION_ALREADY_EXISTS)
    return types


def _schemas(endpoints: list[Endpoint]) -> tuple[dict[object, Json], Json]:
    """Return the schema of each type that occurs, parameters written out and answers by reference."""
    params = [endpoint.params for endpoint in endpoints if endpoint.params is not None]
    answers = [endpoint.answer for endpoint in endpoints if _is_model(endpoint)]
    written, parts = msgspec.json.schema_components([*params, *answers, ErrorBody], ref_template=_REF)
    schemas: dict[object, Json] = dict(zip([*params, *answers, ErrorBody], written, strict=True))
    own = {kind: parts[schemas[kind]["$ref"].rpartition("/")[2]] for kind in params}
    named = {schemas[kind]["$ref"].rpartition("/")[2] for kind in params}
    return schemas | own, {name: part for name, part in parts.items() if name not in named}


def _operation(endpoint: Endpoint, path: str, schemas: dict[object, Json]) -> Json:
    operation: Json = {
        "operationId": endpoint.name if path == endpoint.paths[0] else f"{endpoint.name}.alias",
        "summary": endpoint.summary,
        "tags": [endpoint.service],
        "responses": _responses(endpoint, schemas),
        "security": [
            {"Project": []} | {name: [] for name in names}
            for caller, names in _CREDENTIALS
            if caller in endpoint.callers
        ],
        "x-callers": [caller.name.lower() for caller, _ in _CREDENTIALS if caller in endpoint.callers and caller.name],
        "x-scopes": list(endpoint.scopes),
    }
    if endpoint.limit is not None:
        operation["x-rate-limit"] = _limit(endpoint.limit)
    if endpoint.upgrade is not None:
        operation["x-websocket"] = {
            "subprotocols": list(endpoint.upgrade.subprotocols),
            "maxMessageBytes": endpoint.upgrade.max_message_bytes,
        }
    if endpoint.params is not None:
        operation |= _parameters(endpoint, schemas[endpoint.params])
    if endpoint.mode is Mode.UPLOAD:
        operation["requestBody"] = {"content": {ANY_BYTES: {}}}
    return operation


def _parameters(endpoint: Endpoint, schema: Json) -> Json:
    """Return the parameters of path and query, and the body: what is in neither."""
    properties: Json = schema["properties"]
    required = set(schema.get("required", ()))
    in_path = endpoint.placeholders()
    places = {name: "path" if name in in_path else "query" for name in properties}
    if endpoint.method != "GET" and endpoint.mode is not Mode.UPLOAD:
        places = dict.fromkeys(in_path, "path")
    parameters = [
        {"name": name, "in": place, "required": name in required, "schema": properties[name]}
        for name, place in places.items()
    ]
    body = {name: part for name, part in properties.items() if name not in places}
    content_type = "application/json"
    if endpoint.mode is Mode.FORM:
        content_type = FORM
        body[FILE_PART] = {"type": "string", "contentMediaType": ANY_BYTES}
        required.add(FILE_PART)
    if not body:
        return {"parameters": parameters}
    content = {"type": "object", "properties": body, "required": sorted(required.intersection(body))}
    return {"parameters": parameters, "requestBody": {"content": {content_type: {"schema": content}}}}


def _responses(endpoint: Endpoint, schemas: dict[object, Json]) -> Json:
    success: Json = {"description": "Success"}
    if _is_model(endpoint):
        success["content"] = {"application/json": {"schema": schemas[endpoint.answer]}}
    elif endpoint.answer in {Blob, Stream}:
        success["content"] = {ANY_BYTES: {}}
    if endpoint.answer is Blob:
        part = {"description": "The requested range", "content": {ANY_BYTES: {}}}
        return {"206": part} | _all_responses(endpoint, schemas, success)
    return _all_responses(endpoint, schemas, success)


def _all_responses(endpoint: Endpoint, schemas: dict[object, Json], success: Json) -> Json:
    refusals = {name.partition(".")[0]: name for name in _refusals(endpoint, schemas)}
    return {str(endpoint.status): success} | {
        status: {"$ref": _RESPONSE_REF.format(name=name)} for status, name in refusals.items()
    }


def _refusals(endpoint: Endpoint, schemas: dict[object, Json]) -> Json:
    """Return the refusals of an endpoint, one for each status; its name tells the status and the types."""
    by_status: dict[int, list[str]] = {}
    for kind in sorted(error_types(endpoint)):
        by_status.setdefault(kind.status, []).append(kind.value)
    return {
        ".".join((str(status), *types)): {
            "description": ", ".join(types),
            "content": {"application/json": {"schema": schemas[ErrorBody]}},
        }
        for status, types in by_status.items()
    }


def _names(endpoint: Endpoint) -> set[str]:
    return set() if endpoint.params is None else {one.encode_name for one in msgspec.structs.fields(endpoint.params)}


def _limit(limit: RateLimit) -> Json:
    return {"amount": limit.amount, "windowSeconds": limit.window_s, "by": list(limit.by)}


def _is_model(endpoint: Endpoint) -> bool:
    answer = endpoint.answer
    return isinstance(answer, type) and issubclass(answer, msgspec.Struct) and answer not in {Reply, Blob}
