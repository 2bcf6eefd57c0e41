"""Copies of Redis, each following a primary by a way that a test can hold up or cut."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from redis.asyncio import Redis

from services.embedded.valkey import ADMIN, Valkey
from shared.messaging.wire import open_client
from tests.e2e.revocation.proxy import Proxy, open_proxy
from tests.eventually import eventually
from tests.parts import PASSWORDS, Parts


class Copy:
    """A Valkey that may follow another. `link` is its way to that one, `socket` where it answers itself."""

    def __init__(self, valkey: Valkey, link: Proxy) -> None:
        self.valkey = valkey
        self.link = link
        self.socket: Path = valkey.socket

    async def follow(self, primary: Valkey) -> None:
        """Take over all that another has, and follow it from then on; return when it is in step."""
        async with admin(primary) as redis:
            await redis.config_set("repl-diskless-sync-delay", 0)
        self.link.restore()
        self.link.lead_to(primary.socket)
        await follow(self.valkey, self.link.port)

    async def promote(self) -> None:
        """Be a primary, with what has come so far."""
        self.link.cut()
        async with admin(self.valkey) as redis:
            await redis.replicaof("NO", "ONE")


async def follow(valkey: Valkey, port: int) -> None:
    """Have a Valkey follow the one that answers on a port; return when it is in step."""
    async with admin(valkey) as redis:
        await redis.config_set("masteruser", ADMIN)
        await redis.config_set("masterauth", PASSWORDS[ADMIN].reveal())
        await redis.replicaof("127.0.0.1", port)

        async def link() -> object:
            return (await redis.info("replication")).get("master_link_status")

        await eventually(link, "up")


@contextlib.asynccontextmanager
async def open_copy(parts: Parts) -> AsyncIterator[Copy]:
    """Start a Valkey that follows nobody yet."""
    async with parts.valkey() as valkey, open_proxy(valkey.socket) as link:
        yield Copy(valkey, link)


@contextlib.asynccontextmanager
async def admin(valkey: Valkey) -> AsyncIterator[Redis]:
    """A client that may do everything."""
    client = open_client(valkey.url(ADMIN), name="tests")
    try:
        yield client
    finally:
        await client.aclose()
