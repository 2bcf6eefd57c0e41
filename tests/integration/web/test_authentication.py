from typing import Any

import msgspec
import pytest

from shared.contracts.credentials import SessionSecret

FRESH = SessionSecret("u1", "fresh").wire()
STALE = SessionSecret("stale", "gone").wire()
BLOCKED = SessionSecret("blocked", "fresh").wire()

SESSION = {"Cookie": f"a_session_demo={FRESH}"}
STALE_SESSION = {"X-Appwrite-Session": STALE}
BLOCKED_SESSION = {"X-Appwrite-Session": BLOCKED}
JWT = {"X-Appwrite-JWT": "good"}
REVOKED_JWT = {"X-Appwrite-JWT": "revoked"}
BAD_JWT = {"X-Appwrite-JWT": "forged"}
BLOCKED_JWT = {"X-Appwrite-JWT": "blocked"}
KEY = {"X-Appwrite-Key": "standard_good"}
FOREIGN = {"Origin": "https://evil.test"}

UNAUTHORIZED = (401, "general_unauthorized_scope")


@pytest.mark.parametrize(
    ("credentials", "kind", "user", "beside"),
    [
        ({}, "guest", "", ""),
        (SESSION, "session", "u1", "u1"),
        ({"X-Appwrite-Session": FRESH}, "session", "u1", "u1"),
        ({"X-Fallback-Cookies": msgspec.json.encode({"a_session_demo": FRESH}).decode()}, "session", "u1", "u1"),
        (STALE_SESSION, "guest", "", ""),
        (STALE_SESSION | SESSION, "session", "u1", "u1"),
        ({"Cookie": f"a_session_demo={STALE}", "X-Appwrite-Session": FRESH}, "guest", "", ""),
        ({"X-Appwrite-Session": "garbage"}, "guest", "", ""),
        (JWT, "jwt", "u1", "u1"),
        (JWT | STALE_SESSION, "jwt", "u1", "u1"),
        (REVOKED_JWT, "guest", "", ""),
        ({"X-Appwrite-JWT": ""}, "guest", "", ""),
        (KEY, "key", "", ""),
        (KEY | SESSION, "key", "", "u1"),
        (KEY | JWT, "key", "", "u1"),
        (KEY | STALE_SESSION, "key", "", ""),
        (KEY | REVOKED_JWT, "key", "", ""),
        (SESSION | {"X-Appwrite-Mode": "admin"}, "session", "u1", "u1"),
        (KEY | FOREIGN, "key", "", ""),
    ],
)
@pytest.mark.check("identity 54")
@pytest.mark.check("identity 93")
async def test_the_identity_of_a_caller(
    client: Any, credentials: dict[str, str], kind: str, user: str, beside: str
) -> None:
    answer = await client.call("GET", "/v1/open", headers=credentials)

    assert answer.status == 200
    assert (answer.json["kind"], answer.json["user"], answer.json["beside"]) == (kind, user, beside)


@pytest.mark.parametrize("path", ["/v1/open", "/v1/account", "/v1/ping"])
@pytest.mark.parametrize(
    ("credentials", "error"),
    [
        (SESSION | JWT, (403, "user_jwt_and_cookie_set")),
        (SESSION | BAD_JWT, (403, "user_jwt_and_cookie_set")),
        (BAD_JWT, (401, "user_jwt_invalid")),
        (BAD_JWT | KEY, (401, "user_jwt_invalid")),
        (BAD_JWT | FOREIGN, (403, "general_unknown_origin")),
        ({"X-Appwrite-JWT": "ü"}, (401, "user_jwt_invalid")),
        ({"X-Appwrite-Key": "standard_unknown"}, (401, "user_unauthorized")),
        ({"X-Appwrite-Key": "legacy"} | JWT, (401, "user_unauthorized")),
        ({"X-Appwrite-Key": "odd_key"}, (401, "user_unauthorized")),
        ({"X-Appwrite-Key": "odd_key"} | SESSION, (401, "user_unauthorized")),
        ({"X-Appwrite-Key": "odd_key"} | SESSION | FOREIGN, (401, "user_unauthorized")),
        ({"X-Appwrite-Key": "standard_expired"}, (401, "project_key_expired")),
        (FOREIGN, (403, "general_unknown_origin")),
        (FOREIGN | SESSION, (403, "general_unknown_origin")),
        ({"Origin": "null"}, (403, "general_unknown_origin")),
    ],
)
@pytest.mark.check("identity 42")
@pytest.mark.check("identity 43")
@pytest.mark.check("identity 50")
@pytest.mark.check("identity 54")
async def test_credentials_that_are_refused_everywhere(
    client: Any, path: str, credentials: dict[str, str], error: tuple[int, str]
) -> None:
    assert (await client.call("GET", path, headers=credentials)).error == error


@pytest.mark.parametrize(
    ("path", "credentials", "error"),
    [
        ("/v1/account", {}, UNAUTHORIZED),
        ("/v1/account", STALE_SESSION, UNAUTHORIZED),
        ("/v1/account", REVOKED_JWT, UNAUTHORIZED),
        ("/v1/account", KEY, UNAUTHORIZED),
        ("/v1/account", KEY | SESSION, UNAUTHORIZED),
        ("/v1/account", BLOCKED_SESSION, (403, "user_blocked")),
        ("/v1/account", BLOCKED_JWT, (403, "user_blocked")),
        ("/v1/health", BLOCKED_JWT, UNAUTHORIZED),
        ("/v1/health", JWT, UNAUTHORIZED),
        ("/v1/ping", BLOCKED_JWT, (403, "user_blocked")),
    ],
)
async def test_a_caller_of_another_kind_is_refused(
    client: Any, path: str, credentials: dict[str, str], error: tuple[int, str]
) -> None:
    assert (await client.call("GET", path, headers=credentials)).error == error


async def test_a_caller_without_the_right_is_not_told_what_is_wrong_with_the_parameters(client: Any) -> None:
    answer = await client.call("DELETE", "/v1/account/sessions/current", data=b"{")

    assert answer.error == UNAUTHORIZED


@pytest.mark.parametrize(
    ("project", "path", "status"),
    [
        ("demo", "/v1/ping", 200),
        (None, "/v1/ping?project=demo", 200),
        ("", "/v1/ping?project=demo", 200),
        ("other", "/v1/ping?project=demo", 200),
        ("demo", "/v1/ping?project=", 200),
        ("demo", "/v1/ping?project=other", 404),
        ("other", "/v1/ping", 404),
        ("console", "/v1/ping", 404),
        ("", "/v1/ping", 404),
        (None, "/v1/ping", 404),
    ],
)
@pytest.mark.check("identity 49")
async def test_which_project_is_meant(client: Any, project: str | None, path: str, status: int) -> None:
    answer = await client.call("GET", path, project=project)

    assert answer.status == status
    assert answer.content == b"Pong!" if status == 200 else answer.error == (404, "project_not_found")


async def test_a_request_that_names_no_project_is_told_how_to_name_one(client: Any) -> None:
    unnamed = await client.call("GET", "/v1/ping", project=None)
    unknown = await client.call("GET", "/v1/ping", project="other")

    assert unnamed.json["message"] == "The request names no project: send its id in the header X-Appwrite-Project."
    assert unknown.json["message"] == "Project with the requested ID could not be found."


@pytest.mark.parametrize(
    ("body", "project", "query", "status"),
    [
        ({"project": "demo"}, None, "", 200),
        ({"project": "other"}, None, "", 404),
        ({"project": 5}, None, "", 404),
        ({"project": "demo"}, "other", "", 404),
        ({"project": "other"}, "demo", "", 200),
        ({"project": "demo"}, None, "?project=other", 404),
        ({}, None, "?project=demo", 200),
        ({}, "demo", "?project=other", 200),
    ],
)
async def test_the_header_names_the_project_first_and_the_body_last(
    client: Any, body: dict[str, Any], project: str | None, query: str, status: int
) -> None:
    assert (await client.call("POST", f"/v1/touch{query}", project=project, json=body)).status == status


@pytest.mark.parametrize("project", [None, "other"])
async def test_a_key_needs_the_header_that_names_its_project(client: Any, project: str | None) -> None:
    answer = await client.call("GET", "/v1/open?project=demo", project=project, headers=KEY)

    assert answer.error == (403, "project_id_missing")


async def test_an_answer_says_to_try_again_if_auth_cannot_be_asked(client: Any) -> None:
    answer = await client.call("GET", "/v1/open", project="away", headers=JWT)

    assert answer.error == (503, "principal_unavailable")
    assert answer.headers["Retry-After"] == "1"


async def test_a_session_that_is_there_keeps_another_from_being_made(client: Any) -> None:
    for credentials in (SESSION, JWT, KEY | SESSION):
        answer = await client.call("POST", "/v1/account/sessions/email", headers=credentials, json={})

        assert answer.error == (401, "user_session_already_exists")


async def test_a_method_that_is_switched_off_is_so_for_all_but_keys(client: Any) -> None:
    refused = await client.call("POST", "/v1/account/sessions/anonymous")
    allowed = await client.call("POST", "/v1/account/sessions/anonymous", headers=KEY)

    assert refused.error == (501, "user_auth_method_unsupported")
    assert allowed.status == 201


@pytest.mark.parametrize(("credentials", "said"), [(SESSION, "false"), ({}, "true"), (JWT, "true")])
async def test_the_answer_says_whether_only_the_fallback_cookie_was_left(
    client: Any, credentials: dict[str, str], said: str
) -> None:
    assert (await client.call("GET", "/v1/open", headers=credentials)).headers["X-Debug-Fallback"] == said
