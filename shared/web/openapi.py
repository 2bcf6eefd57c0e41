"""The OpenAPI 3.1 document, from the declarations alone: the same endpoints always give the same bytes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from shared.kernel.errors import ErrorType
from shared.web.call import Reply
from shared.web.endpoint import Endpoint, RateLimit
from shared.web.errors import API_VERSION, STATUSES, ErrorBody
from shared.web.pipeline import HEALTH
from shared.web.scopes import Caller

Json = dict[str, Any]  # Any: JSON has no narrower type

FILE = Path(__file__).with_name("openapi.json")
"""The document of all services, which each of them serves; made by `make generate`."""

_REF = "#/components/schemas/{name}"
_SCHEMES: Json = {
    "Project": {"type": "apiKey", "in": "header", "name": "X-Appwrite-Project"},
    "Key": {"type": "apiKey", "in": "header", "name": "X-Appwrite-Key"},
    "JWT": {"type": "apiKey", "in": "header", "name": "X-Appwrite-JWT"},
    "Session": {"type": "apiKey", "in": "header", "name": "X-Appwrite-Session"},
}
_CREDENTIALS = ((Caller.GUEST, ()), (Caller.SESSION, ("Session",)), (Caller.JWT, ("JWT",)), (Caller.KEY, ("Key",)))


def document(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the document of these endpoints as JSON."""
    declared = sorted(endpoints, key=lambda endpoint: (endpoint.paths[0], endpoint.method))
    schemas, components = _schemas(declared)
    paths: Json = {}
    for endpoint in declared:
        for path in endpoint.paths:
            paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, path, schemas)
    text = msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Daypass", "version": API_VERSION},
            "paths": paths,
            "components": {"schemas": components, "securitySchemes": _SCHEMES},
        },
        order="deterministic",
    )
    # Python's end of text is `\Z`; JSON Schema's regular expressions know only `$`.
    return msgspec.json.format(text.replace(rb"\\Z", b"$"), indent=2)


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
    if endpoint.params is not None:
        operation |= _parameters(endpoint, schemas[endpoint.params])
    return operation


def _parameters(endpoint: Endpoint, schema: Json) -> Json:
    """Return the parameters of path and query, and the body: what is in neither."""
    properties: Json = schema["properties"]
    required = set(schema.get("required", ()))
    in_path = endpoint.placeholders()
    places = {name: "path" if name in in_path else "query" for name in properties}
    if endpoint.method != "GET":
        places = dict.fromkeys(in_path, "path")
    parameters = [
        {"name": name, "in": place, "required": name in required, "schema": properties[name]}
        for name, place in places.items()
    ]
    body = {name: part for name, part in properties.items() if name not in places}
    if not body:
        return {"parameters": parameters}
    content = {"type": "object", "properties": body, "required": sorted(required.intersection(body))}
    return {"parameters": parameters, "requestBody": {"content": {"application/json": {"schema": content}}}}


def _responses(endpoint: Endpoint, schemas: dict[object, Json]) -> Json:
    success: Json = {"description": "Success"}
    if _is_model(endpoint):
        success["content"] = {"application/json": {"schema": schemas[endpoint.answer]}}
    responses: Json = {str(endpoint.status): success}
    for status, types in _errors(endpoint).items():
        responses[str(status)] = {
            "description": ", ".join(sorted(types)),
            "content": {"application/json": {"schema": schemas[ErrorBody]}},
        }
    return responses


def _errors(endpoint: Endpoint) -> dict[int, set[str]]:
    types = set(endpoint.errors)
    if not HEALTH.issuperset(endpoint.paths):
        types.add(ErrorType.GENERAL_ACCESS_FORBIDDEN)
    if endpoint.callers is not Caller.UNASKED:
        types |= {ErrorType.PROJECT_NOT_FOUND, ErrorType.GENERAL_UNKNOWN_ORIGIN, ErrorType.PRINCIPAL_UNAVAILABLE}
        types |= {ErrorType.USER_JWT_INVALID, ErrorType.USER_UNAUTHORIZED, ErrorType.USER_BLOCKED}
    if endpoint.scopes:
        types.add(ErrorType.GENERAL_UNAUTHORIZED_SCOPE)
    if endpoint.params is not None:
        types.add(ErrorType.GENERAL_ARGUMENT_INVALID)
    if endpoint.method != "GET":
        types.add(ErrorType.GENERAL_PAYLOAD_TOO_LARGE)
    if endpoint.limit is not None:
        types.add(ErrorType.GENERAL_RATE_LIMIT_EXCEEDED)
    if endpoint.auth_method:
        types.add(ErrorType.USER_AUTH_METHOD_UNSUPPORTED)
    if endpoint.needs_no_session:
        types.add(ErrorType.USER_SESSION_ALREADY_EXISTS)
    statuses: dict[int, set[str]] = {}
    for kind in types:
        statuses.setdefault(STATUSES[kind], set()).add(kind.value)
    return statuses


def _limit(limit: RateLimit) -> Json:
    return {"amount": limit.amount, "windowSeconds": limit.window_s, "by": list(limit.by)}


def _is_model(endpoint: Endpoint) -> bool:
    answer = endpoint.answer
    return isinstance(answer, type) and issubclass(answer, msgspec.Struct) and answer is not Reply
