"""Appwrite's own Python SDK."""

from appwrite.client import Client
from appwrite.services.project import Project
from appwrite.services.teams import Teams

from tests.integration.auth.conftest import (
    PROJECT,
    Caller,
)


def sdk(caller: Caller) -> Project:
    """Appwrite's own Python SDK for the project service. It blocks: call it by `asyncio.to_thread`."""
    client = Client().set_endpoint(f"http://127.0.0.1:{caller.port}/v1").set_project(PROJECT)
    return Project(client.set_key(caller.headers["X-Appwrite-Key"]))


def teams(caller: Caller) -> Teams:
    """Appwrite's own Python SDK. It blocks: call it by `asyncio.to_thread`."""
    client = Client().set_endpoint(f"http://127.0.0.1:{caller.port}/v1").set_project(PROJECT)
    client.set_key(caller.headers.get("X-Appwrite-Key", ""))
    return Teams(client.set_session(caller.headers.get("X-Appwrite-Session", "")))
