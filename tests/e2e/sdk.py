"""The official Python SDK, and clients of it for each kind of caller."""

from typing import Any

from appwrite.client import Client
from appwrite.exception import AppwriteException

from tests.e2e.instance import Instance


def client(instance: Instance) -> Client:
    """A guest."""
    return Client().set_endpoint(instance.endpoint).set_project(instance.project)


def server(instance: Instance) -> Client:
    """A backend with an API key of all scopes."""
    return client(instance).set_key(instance.key)


def with_session(instance: Instance, secret: str) -> Client:
    return client(instance).set_session(secret)


def with_jwt(instance: Instance, jwt: str) -> Client:
    return client(instance).set_jwt(jwt)


def call(caller: Client, method: str, path: str, **params: Any) -> Any:
    """Call what the SDK has no method for, as its methods do it."""
    headers = {"X-Appwrite-Project": caller.get_config("project"), "content-type": "application/json"}
    return caller.call(method, path, headers, params)


def refusal(call: Any, *arguments: Any, **named: Any) -> tuple[int, str]:
    """Call a method of the SDK that must be refused; return status and type."""
    try:
        answer = call(*arguments, **named)
    except AppwriteException as error:
        return error.code, error.type
    raise AssertionError(f"not refused, but answered {answer!r}")
