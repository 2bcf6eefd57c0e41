"""Fixtures of all tests: the real parts, started once."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from services.embedded.valkey import ADMIN, Valkey
from shared.messaging.wire import open_client
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


SLOW = ("cluster", "compose", "processes")
"""What takes minutes: with more than one worker it has to begin first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that share what is slow to start run in one worker, and the slow ones first."""
    for item in items:
        topology = topology_of(item)
        item.user_properties.append(("topology", topology))
        item.add_marker(pytest.mark.xdist_group(topology if topology in SLOW else item.nodeid.partition("::")[0]))
    items.sort(key=lambda item: SLOW.index(topology_of(item)) if topology_of(item) in SLOW else len(SLOW))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the images of the selected tests before the first test, since that may take longer than any of them.

    Each worker comes here before the controller hands out tests: the first builds, the others find it done.
    """
    if session.config.option.collectonly or all(topology_of(item) != "compose" for item in session.items):
        return
    from tests.e2e.stack import built  # noqa: PLC0415 needs Docker's client, which few runs do

    with session.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        built.build()


def topology_of(item: pytest.Item) -> str:
    """Return what a test needs to be running, by its mark; without one it runs in this very process."""
    mark = item.get_closest_marker("topology")
    if mark is None:
        return "embedded"
    (name,) = mark.args
    if name not in {"embedded", *SLOW}:
        raise pytest.UsageError(f"{item.nodeid}: there is no topology {name!r}")
    return str(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests ran in each topology."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    counted = Counter(dict(report.user_properties).get("topology") for report in reports)
    terminalreporter.write_line(", ".join(f"{name} {counted[name]}" for name in ("embedded", *reversed(SLOW))))
