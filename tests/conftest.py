"""Fixtures of all tests: the real parts, started once."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from services.embedded.valkey import ADMIN, Valkey
from shared.messaging.wire import open_client
from tests.e2e.instance import TOPOLOGIES
from tests.parts import Database, Parts, open_parts


@pytest.fixture(scope="session")
async def parts() -> AsyncIterator[Parts]:
    """PostgreSQL, for the whole session."""
    async with open_parts() as parts:
        yield parts


@pytest.fixture
async def database(parts: Parts) -> Database:
    """A database of this test's own."""
    return await parts.new_database()


@pytest.fixture(scope="session")
async def shared_valkey(parts: Parts) -> AsyncIterator[Valkey]:
    """A Valkey for the whole session."""
    async with parts.valkey() as valkey:
        yield valkey


@pytest.fixture
async def valkey(shared_valkey: Valkey) -> Valkey:
    """A Valkey that is empty when the test begins."""
    client = open_client(shared_valkey.url(ADMIN), name="tests")
    await client.flushall()
    await client.aclose()
    return shared_valkey


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    """A client that may do everything."""
    client = open_client(valkey.url(ADMIN), name="tests")
    yield client
    await client.aclose()


SLOW = ("tests/e2e/revocation/", "compose", "processes")
"""What takes minutes: with more than one worker it has to begin first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that share what is slow to start run in one worker, and the slow ones first."""
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: SLOW.index(groups[item]) if groups[item] in SLOW else len(SLOW))


def _group(item: pytest.Item) -> str:
    file = item.nodeid.partition("::")[0]
    if file.startswith(SLOW[0]) and "running_cluster" in getattr(item, "fixturenames", ()):
        return SLOW[0]
    topology = _topology(item.nodeid)
    return file if topology == "embedded" else topology


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests ran in each topology; what needs none of them runs in this very process."""
    counted = Counter(_topology(report.nodeid) for report in terminalreporter.getreports("passed"))
    counted += Counter(_topology(report.nodeid) for report in terminalreporter.getreports("failed"))
    terminalreporter.write_line(", ".join(f"{name} {counted[name]}" for name in TOPOLOGIES))


def _topology(test: str) -> str:
    in_containers = "compose" in test or "/stack/" in test
    return "compose" if in_containers else "processes" if "processes" in test else "embedded"
