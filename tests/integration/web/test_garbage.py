"""Whatever is thrown at an endpoint: an answer of Appwrite's shape, and never a 500."""

import json
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ALLOWED = {200, 201, 204, 400, 401, 403, 404, 501}
PATHS = ["/v1/things", "/v1/touch", "/v1/users/u1", "/v1/account/sessions/email", "/v1/rows"]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["thingId", "note", "name", "size", "enabled", "tags", "data", "email", "password", "project"])
BODIES = st.binary(max_size=60) | st.dictionaries(NAMES | TEXT, VALUES, max_size=6).map(
    lambda values: json.dumps(values).encode()
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["X-Appwrite-Session", "X-Appwrite-JWT", "X-Appwrite-Key", "Cookie", "X-Fallback-Cookies", "Origin", "Accept"]
    ),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40),
    max_size=3,
) | st.sampled_from(["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "x"]).map(
    lambda content_type: {"Content-Type": content_type}
)

quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def is_appwrites(answer: Any) -> bool:
    assert answer.status in ALLOWED
    return answer.status < 400 or answer.error[0] == answer.status


@quick
@given(st.sampled_from(["POST", "PUT", "DELETE"]), st.sampled_from(PATHS), BODIES, HEADERS)
async def test_bodies(client: Any, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
    answer = await client.call(method, path, data=body, headers=headers)

    assert is_appwrites(answer)


@quick
@given(
    path=st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="#"), max_size=20),
    query=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=40),
)
async def test_paths_and_queries(client: Any, path: str, query: str) -> None:
    target = f"/v1/users/{path}?{query}".encode("latin-1")
    answer = await client.raw(
        b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: demo\r\nConnection: close\r\n\r\n"
    )

    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert status in ALLOWED
    assert msgspec.json.decode(body).get("code", status) == status
