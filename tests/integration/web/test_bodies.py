"""What a body may cost, and whom it is taken from."""

import asyncio
from typing import Any

import msgspec
import pytest

from shared.contracts.credentials import SessionSecret
from tests.eventually import eventually

KIB = 1024
JSON = {"Content-Type": "application/json"}
JWT = {"X-Appwrite-JWT": "good"}
SESSION = {"X-Appwrite-Session": SessionSecret("u1", "fresh").wire()}
TOO_LARGE = (413, "general_payload_too_large")
SMALL = 64 * KIB


async def answer_to_headers(port: int, path: str, headers: dict[str, str]) -> str:
    """Announce a body, send none of it, and return the type of the error that comes all the same."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = {"Host": "x", "X-Appwrite-Project": "demo", "Content-Length": "1000"} | headers
    writer.write(f"POST {path} HTTP/1.1\r\n".encode() + b"".join(f"{k}: {v}\r\n".encode() for k, v in lines.items()))
    writer.write(b"\r\n")
    try:
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readuntil(b"}")
    finally:
        writer.close()
    assert not head.startswith(b"HTTP/1.1 2")
    return str(msgspec.json.decode(body)["type"])


@pytest.mark.parametrize(
    ("path", "headers", "type_"),
    [
        ("/v1/things", {"X-Appwrite-Project": "nosuch"}, "project_not_found"),
        ("/v1/things", {"X-Appwrite-JWT": "forged"}, "user_jwt_invalid"),
        ("/v1/things", {"X-Appwrite-Key": "standard_unknown"}, "user_unauthorized"),
        ("/v1/things", {"X-Appwrite-JWT": "blocked"}, "user_blocked"),
        ("/v1/things", {"Origin": "https://evil.test"}, "general_unknown_origin"),
        ("/v1/admitted", {}, "general_unauthorized_scope"),
        ("/v1/account/sessions/anonymous", {}, "user_auth_method_unsupported"),
        ("/v1/things", {"Content-Length": str(17 * KIB * KIB)} | JWT, "general_payload_too_large"),
        ("/v1/things", {"Content-Length": str(SMALL + 1)}, "general_payload_too_large"),
        ("/v1/touch", {"Content-Length": str(SMALL + 1)} | JWT, "general_payload_too_large"),
    ],
)
async def test_a_caller_without_the_right_is_refused_before_the_body_comes(
    client: Any, path: str, headers: dict[str, str], type_: str
) -> None:
    assert await answer_to_headers(client.port, path, headers) == type_


async def test_a_parameter_of_the_body_is_what_calls_are_counted_by(serve: Any, limiter: Any) -> None:
    own = await serve(limiter=limiter)
    sign_in = {"email": "ada@example.com", "password": "wrong password"}
    for _ in range(3):
        assert (await own.call("POST", "/v1/account/sessions/email", json=sign_in)).status == 401

    assert (await own.call("POST", "/v1/account/sessions/email", json=sign_in)).status == 429
    assert (await own.call("POST", "/v1/account/sessions/email", json=sign_in | {"email": "x@y.z"})).status == 401


def thing(size: int) -> bytes:
    return msgspec.json.encode({"thingId": "t", "note": "x" * (size - len('{"thingId":"t","note":""}'))})


@pytest.mark.parametrize(
    ("headers", "size", "status"),
    [({}, SMALL, 201), ({}, SMALL + 1, 413), (JWT, SMALL + 1, 201), (SESSION, SMALL * 9, 201)],
)
@pytest.mark.parametrize("is_announced", [True, False])
async def test_more_than_a_small_body_is_taken_of_those_alone_who_may_send_it(
    client: Any, headers: dict[str, str], size: int, status: int, is_announced: bool
) -> None:
    async def parts() -> Any:
        yield thing(size)

    body = thing(size) if is_announced else parts()

    answer = await client.call("POST", "/v1/things", data=body, headers=JSON | headers)

    assert answer.status == status
    assert status == 201 or answer.error == TOO_LARGE


async def test_a_form_is_small(client: Any) -> None:
    form = "thingId=t&note=" + "%41" * 30_000

    answer = await client.call(
        "POST", "/v1/things", data=form, headers=JWT | {"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert answer.error == TOO_LARGE


async def test_a_project_that_only_a_body_names_is_looked_for_in_a_small_one(client: Any) -> None:
    small = msgspec.json.encode({"project": "demo", "thingId": "t", "note": "n"})
    large = msgspec.json.encode({"project": "demo", "thingId": "t", "note": "n" * SMALL})

    assert (await client.call("POST", "/v1/things", project=None, data=small, headers=JSON | JWT)).status == 201
    assert (await client.call("POST", "/v1/things", project=None, data=large, headers=JSON | JWT)).error == TOO_LARGE


async def test_bodies_of_guests_are_bounded_together_and_keep_nobody_else_out(serve: Any) -> None:
    own = await serve(guest_body_bytes=100 * KIB)
    _, held = await asyncio.open_connection("127.0.0.1", own.port)
    held.write(b"POST /v1/things HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: demo\r\nContent-Length: 65536\r\n\r\n")
    held.write(b"x" * 60 * KIB)

    async def guest() -> int:
        status: int = (await own.call("POST", "/v1/things", data=thing(60 * KIB), headers=JSON)).status
        return status

    await eventually(guest, 503)
    refused = await own.call("POST", "/v1/things", data=thing(60 * KIB), headers=JSON)
    signed_in = await own.call("POST", "/v1/things", data=thing(60 * KIB), headers=JSON | JWT)
    held.close()

    assert refused.error == (503, "general_busy")
    assert refused.headers["Retry-After"] == "1"
    assert signed_in.status == 201
    await eventually(guest, 201)
