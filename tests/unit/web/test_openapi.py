from typing import Annotated, Any

import msgspec

from shared.kernel.errors import ErrorType
from shared.web.endpoint import (
    Blob,
    Call,
    Caller,
    Endpoint,
    Form,
    RateLimit,
    Reply,
    Routes,
    Stream,
    Upgrade,
    Upload,
    WebSocket,
)
from shared.web.openapi import document
from shared.web.parameters import CustomId, Id

routes: Routes[None] = Routes("things")


class GetThing(msgspec.Struct, rename="camel", kw_only=True):
    thing_id: Id
    queries: list[str] = []


class CreateThing(msgspec.Struct, rename="camel", kw_only=True):
    thing_id: CustomId
    size: Annotated[int, msgspec.Meta(ge=1)] = 1


class Thing(msgspec.Struct):
    id: str = msgspec.field(name="$id")


@routes.endpoint(
    "GET", "/v1/things/{thingId}", name="things.get", callers=Caller.ANYONE, scopes=("rows.read",),
    errors=(ErrorType.ROW_NOT_FOUND,),
)  # fmt: skip
async def get_thing(call: Call[None], params: GetThing) -> Thing:
    """Get a thing."""
    raise NotImplementedError


@routes.endpoint(
    "POST", "/v1/things", name="things.create", aliases=("/v1/thing",), callers=Caller.KEY, scopes=("rows.write",),
    status=201, limit=RateLimit(10, 60), model=Thing,
)  # fmt: skip
async def create_thing(call: Call[None], params: CreateThing) -> bytes:
    """Create a thing."""
    raise NotImplementedError


@routes.endpoint("GET", "/v1/keys.json", name="things.keys", callers=Caller.PUBLIC)
async def get_keys(call: Call[None]) -> Reply:
    """Get keys."""
    raise NotImplementedError


def described(endpoints: list[Endpoint]) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(document(endpoints))
    return decoded


def test_the_document_is_the_same_whatever_the_order() -> None:
    assert document(routes.endpoints) == document(routes.endpoints[::-1])


def test_a_get_takes_its_parameters_from_path_and_query() -> None:
    operation = described(routes.endpoints)["paths"]["/v1/things/{thingId}"]["get"]

    assert [(p["name"], p["in"], p["required"]) for p in operation["parameters"]] == [
        ("thingId", "path", True),
        ("queries", "query", False),
    ]
    assert "requestBody" not in operation
    assert operation["x-callers"] == ["guest", "session", "jwt", "key"]
    assert operation["x-scopes"] == ["rows.read"]


def test_anything_else_has_a_body() -> None:
    operation = described(routes.endpoints)["paths"]["/v1/things"]["post"]

    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert list(schema["properties"]) == ["size", "thingId"]
    assert schema["required"] == ["thingId"]
    assert operation["x-rate-limit"] == {"amount": 10, "windowSeconds": 60, "by": ["url", "ip"]}
    assert operation["security"] == [{"Project": [], "Key": []}]
    answer = operation["responses"]["201"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/Thing"}


def test_aliases_are_operations_of_their_own() -> None:
    paths = described(routes.endpoints)["paths"]

    assert paths["/v1/thing"]["post"]["operationId"] == "things.create.alias"


def refusals(path: str, method: str) -> dict[str, str]:
    """The errors of an operation by status, as the document describes them."""
    document = described(routes.endpoints)
    named = document["paths"][path][method]["responses"]
    known = document["components"]["responses"]
    return {
        status: known[response["$ref"].removeprefix("#/components/responses/")]["description"]
        for status, response in named.items()
        if "$ref" in response
    }


def test_errors_follow_from_the_declaration_and_what_it_adds() -> None:
    assert refusals("/v1/things/{thingId}", "get")["404"] == "project_not_found, row_not_found"
    assert {"400", "401", "403", "404", "413", "429", "503"} < set(refusals("/v1/things", "post"))
    assert set(refusals("/v1/keys.json", "get")) == {"400", "401", "500"}


def test_a_parameter_in_a_path_brings_its_error_along() -> None:
    nested: Routes[None] = Routes("things", {"thingId": ErrorType.ROW_NOT_FOUND})
    nested.endpoint("GET", "/v1/things/{thingId}", name="x", callers=Caller.KEY)(get_thing)
    nested.endpoint("POST", "/v1/things", name="y", callers=Caller.KEY)(create_thing)

    assert [ErrorType.ROW_NOT_FOUND in endpoint.errors for endpoint in nested.endpoints] == [True, False]


def test_patterns_are_those_of_json_schema() -> None:
    assert rb"\\Z" not in document(routes.endpoints)
    assert rb"0,35}$" in document(routes.endpoints)


open_routes: Routes[None] = Routes("files")


class Part(msgspec.Struct, rename="camel", kw_only=True):
    part_id: Id
    note: str = ""


@open_routes.endpoint("PUT", "/v1/parts/{partId}", name="parts.put", callers=Caller.KEY)
async def put_part(call: Call[None], params: Part, upload: Upload) -> Thing:
    """Put a part."""
    raise NotImplementedError


@open_routes.endpoint("POST", "/v1/parts/{partId}", name="parts.create", callers=Caller.KEY)
async def create_part(call: Call[None], form: Form[Part]) -> Thing:
    """Create a part."""
    raise NotImplementedError


@open_routes.endpoint("GET", "/v1/parts/{partId}", name="parts.get", callers=Caller.KEY)
async def get_part(call: Call[None], params: Part) -> Blob:
    """Get a part."""
    raise NotImplementedError


@open_routes.endpoint("GET", "/v1/events", name="events", callers=Caller.KEY)
async def get_events(call: Call[None]) -> Stream:
    """Get events."""
    raise NotImplementedError


@open_routes.endpoint("GET", "/v1/realtime", name="realtime", callers=Caller.KEY, upgrade=Upgrade(subprotocols=("v1",)))
async def listen(call: Call[None], socket: WebSocket) -> None:
    """Listen."""
    raise NotImplementedError


def test_an_upload_is_bytes_beside_parameters_of_path_and_query() -> None:
    operation = described(open_routes.endpoints)["paths"]["/v1/parts/{partId}"]["put"]

    assert operation["requestBody"] == {"content": {"application/octet-stream": {}}}
    assert {p["name"]: p["in"] for p in operation["parameters"]} == {"partId": "path", "note": "query"}


def test_a_form_has_its_fields_and_a_file() -> None:
    operation = described(open_routes.endpoints)["paths"]["/v1/parts/{partId}"]["post"]

    schema = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(schema["properties"]) == {"note", "file"}
    assert schema["required"] == ["file"]


def test_a_blob_is_bytes_or_a_range_of_them_and_a_stream_is_bytes() -> None:
    paths = described(open_routes.endpoints)["paths"]

    responses = paths["/v1/parts/{partId}"]["get"]["responses"]
    assert {"200", "206", "416"} < set(responses)
    assert list(responses["206"]["content"]) == list(responses["200"]["content"]) == ["application/octet-stream"]
    assert "application/octet-stream" in paths["/v1/events"]["get"]["responses"]["200"]["content"]


def test_a_websocket_switches_protocols() -> None:
    operation = described(open_routes.endpoints)["paths"]["/v1/realtime"]["get"]

    assert {"101", "400", "403"} < set(operation["responses"])
    assert operation["x-websocket"] == {"subprotocols": ["v1"], "maxMessageBytes": 65536}
