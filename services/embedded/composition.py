"""Where the embedded process is put together: the parts, the services, one port."""

import contextlib
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from services.auth.composition import open_auth
from services.auth.settings import Settings as AuthSettings
from services.data.composition import open_data
from services.data.settings import Settings as DataSettings
from services.embedded.child import Child
from services.embedded.credentials import Credentials, find_credentials, write_credentials
from services.embedded.datadir import DataDir, refuse_if_held
from services.embedded.parts import Parts, Say, open_parts
from services.embedded.port import DEFAULT_PORT, endpoint, take_port
from services.embedded.run_file import Running, announced
from services.storage.composition import open_storage
from services.storage.settings import Settings as StorageSettings
from services.token.composition import open_token
from services.token.settings import Settings as TokenSettings
from shared.contracts.administration import CreateKey, CreateProject, ListProjects
from shared.contracts.ids import ProjectId
from shared.guard.resolver import BusResolver
from shared.kernel.clock import now
from shared.kernel.loops import running
from shared.kernel.settings import PREFIX, Secret, read_settings
from shared.messaging.bus import Bus
from shared.messaging.wire import open_client
from shared.process.serve import serving
from shared.process.service import joined, open_guard
from shared.process.settings import ProcessSettings
from shared.web.counts import MemoryCounts
from shared.web.limits import Limiter

FIRST_PROJECT = ProjectId("default")
ASK_S = 15.0
LEASE_TIMEOUT_S = 20.0

S = TypeVar("S", bound=ProcessSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What runs, and what its user needs to know of it."""

    endpoint: str
    credentials: Credentials
    is_first_start: bool
    data_dir: DataDir
    pid: int
    children: tuple[Child, ...]


@contextlib.asynccontextmanager
async def open_instance(
    path: Path, *, host: str, port: int | None, is_restored: bool = False, say: Say
) -> AsyncIterator[Instance]:
    """Run everything on the data directory `path`; `port` as in `take_port`, `is_restored` as in `open_parts`.

    Raises `StartRefused` or `PartFailed`, and what the services raise where they cannot start; nothing is left running.
    """
    async with contextlib.AsyncExitStack() as stack:
        refuse_if_held(DataDir(path))
        listener = stack.enter_context(take_port(host, port))
        url = endpoint(listener)
        parts = await stack.enter_async_context(open_parts(path, is_restored=is_restored, say=say))
        if port is None and not url.endswith(f":{DEFAULT_PORT}/v1"):
            say(f"port {DEFAULT_PORT} is in use, so Daypass uses {listener.getsockname()[1]} instead")
        say("starting the services")
        await stack.enter_async_context(_serving(parts, listener))
        known = find_credentials(parts.data_dir)
        credentials = known or await _make_credentials(parts)
        write_credentials(parts.data_dir, credentials, endpoint=url)
        running = Running(endpoint=url, pid=os.getpid(), redis_url=parts.valkey.url("cli"))
        stack.enter_context(announced(parts.data_dir, running))
        yield Instance(
            endpoint=url,
            credentials=credentials,
            is_first_start=known is None,
            data_dir=parts.data_dir,
            pid=os.getpid(),
            children=(parts.postgres.child, parts.valkey.child),
        )


@contextlib.asynccontextmanager
async def _serving(parts: Parts, listener: socket.socket) -> AsyncIterator[None]:
    """Serve all services in this process: one guard, one lease, one port; they talk over Valkey as anywhere."""
    guard_url = parts.valkey.url("auth")
    async with contextlib.AsyncExitStack() as stack:
        redis = open_client(guard_url, name="daypass-guard")
        stack.push_async_callback(redis.aclose)
        bus = Bus(redis=redis, service="auth")
        stack.push_async_callback(bus.close)
        settings = _settings(AuthSettings, parts, "auth", invitations_dir=str(parts.data_dir.invitations))
        guard = open_guard(settings, "auth", BusResolver(bus))
        opening = {
            "auth": open_auth(settings, guard=guard, owns_redis=True),
            "token": open_token(_token_settings(parts), guard=guard),
            "data": open_data(_settings(DataSettings, parts, "data", column_key=parts.secrets.column_key), guard=guard),
            "storage": open_storage(
                _settings(
                    StorageSettings,
                    parts,
                    "storage",
                    files=str(parts.data_dir.files),
                    file_key=parts.secrets.file_key,
                ),
                guard=guard,
            ),
        }
        services = {name: await stack.enter_async_context(service) for name, service in opening.items()}
        await stack.enter_async_context(running([guard.run()]))
        await guard.reader.until_leased(LEASE_TIMEOUT_S)
        spares_local = not (f"{PREFIX}RATE_LIMITS" in os.environ or settings.public_url)
        limiter = Limiter(MemoryCounts(), spares_local=spares_local)
        app = serving(joined(services), settings, listener, limiter=limiter, logs_refusals=True)
        await stack.enter_async_context(app)
        yield


def _settings(kind: type[S], parts: Parts, service: str, **values: object) -> S:
    dsn, url = Secret(parts.postgres.dsn(service)), Secret(parts.valkey.url(service))
    return read_settings(kind, os.environ, database_url=dsn, redis_url=url, **values)


def _token_settings(parts: Parts) -> TokenSettings:
    dsn, url = Secret(parts.postgres.dsn("token")), Secret(parts.valkey.url("token"))
    key = parts.secrets.master_key
    return read_settings(TokenSettings, os.environ, database_url=dsn, redis_url=url, master_key=key)


async def _make_credentials(parts: Parts) -> Credentials:
    """Ask auth for a project and a key, as the command line would."""
    redis = open_client(parts.valkey.url("cli"), name="daypass-first-start")
    bus = Bus(redis=redis, service="cli")
    try:
        known = (await bus.ask(ListProjects(), timeout_s=ASK_S)).projects
        if FIRST_PROJECT not in {project.id for project in known}:
            await bus.ask(CreateProject(id=FIRST_PROJECT, name="Default"), timeout_s=ASK_S)
            name = "first key"
        else:  # restored, or the file with the key was lost
            name = f"replacement of {now():%Y-%m-%d}"
        request, secret = CreateKey.new(project_id=FIRST_PROJECT, name=name)
        await bus.ask(request, timeout_s=ASK_S)
        return Credentials(project=FIRST_PROJECT, key=Secret(secret))
    finally:
        await bus.close()
        await redis.aclose()
