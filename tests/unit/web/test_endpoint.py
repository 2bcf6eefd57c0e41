from typing import Any

import msgspec
import pytest

from shared.web.endpoint import Call, Caller, Form, RateLimit, Routes, Upgrade, Upload, WebSocket


class UserParams(msgspec.Struct, rename="camel"):
    user_id: str


class User(msgspec.Struct):
    id: str


async def get_user(_: Call[None], params: UserParams) -> User:
    """Get a user.

    More about it.
    """
    return User(params.user_id)


async def delete_user(call: Call[None], params: UserParams) -> None:
    """Delete a user."""


class NamedParams(UserParams):
    name: str = ""


async def take_upload(call: Call[None], params: UserParams, upload: Upload) -> User:
    raise NotImplementedError


async def take_form(call: Call[None], form: Form[NamedParams]) -> User:
    raise NotImplementedError


async def take_socket(call: Call[None], params: UserParams, socket: WebSocket) -> None:
    raise NotImplementedError


async def untyped(call: Call[None], params: dict[str, str]) -> User:
    raise NotImplementedError


GOOD: dict[str, Any] = {"name": "users.get", "callers": Caller.KEY, "scopes": ("users.read",)}


def test_a_declaration_is_data() -> None:
    routes: Routes[None] = Routes("users")

    routes.endpoint("GET", "/v1/users/{userId}", aliases=("/v1/user/{userId}",), **GOOD)(get_user)

    (declared,) = routes.endpoints
    assert declared.paths == ("/v1/users/{userId}", "/v1/user/{userId}")
    assert declared.placeholders() == ("userId",)
    assert (declared.params, declared.answer, declared.summary) == (UserParams, User, "Get a user.")
    with pytest.raises(AttributeError):
        declared.status = 500  # type: ignore[misc] # that it cannot be set is the point


@pytest.mark.parametrize(
    ("method", "path", "handler", "options", "fault"),
    [
        ("FETCH", "/v1/users/{userId}", get_user, {}, "method FETCH"),
        ("GET", "/v1/users/{id}", get_user, {}, "path parameter id"),
        ("GET", "/v1/users/{userId}", get_user, {"aliases": ("/v1/users",)}, "alias"),
        ("GET", "/v1/users/{userId}", get_user, {"limit": RateLimit(1, by=("email",))}, "no dimension email"),
        ("GET", "/v1/users/{userId}", get_user, {"status": 204}, "204"),
        ("DELETE", "/v1/users/{userId}", delete_user, {}, "204"),
        ("GET", "/v1/users", untyped, {}, r"msgspec\.Struct"),
        ("GET", "/v1/users/{userId}", take_upload, {}, "no body"),
        ("PUT", "/v1/users/{userId}", take_upload, {"may_send_more": get_user}, "may send"),
        ("PUT", "/v1/users/{userId}", take_form, {"limit": RateLimit(1, by=("name",))}, "before the form"),
        ("GET", "/v1/users/{userId}", take_socket, {"status": 204}, "go together"),
        ("GET", "/v1/users/{userId}", get_user, {"upgrade": Upgrade()}, "go together"),
        ("POST", "/v1/users/{userId}", take_socket, {"upgrade": Upgrade()}, "begins with a GET"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused_when_it_is_made(
    method: str, path: str, handler: Any, options: dict[str, Any], fault: str
) -> None:
    routes: Routes[None] = Routes("users")

    with pytest.raises(TypeError, match=fault):
        routes.endpoint(method, path, **GOOD, **options)(handler)
