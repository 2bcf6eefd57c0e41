"""Appwrite's own Python SDK."""

from appwrite.client import Client
from appwrite.services.project import Project

from tests.integration.auth.conftest import PROJECT, Caller


def sdk(caller: Caller) -> Project:
    """Appwrite's own Python SDK for the project service. It blocks: call it by `asyncio.to_thread`."""
    client = Client().set_endpoint(f"http://127.0.0.1:{caller.port}/v1").set_project(PROJECT)
    return Project(client.set_key(caller.headers["X-Appwrite-Key"]))
