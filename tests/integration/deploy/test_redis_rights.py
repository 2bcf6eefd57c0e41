"""deploy/redis/users.acl.template on the real thing: nobody can do more than it says, nor less than it must."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from services.embedded.valkey import Valkey
from shared.messaging.names import ASKING, SERVICES
from shared.messaging.wire import open_client

Command = tuple[str, str]
"""A user, and a command."""

USERS = ASKING

ONLY_AUTH_APPENDS = [
    (user, f"XADD {stream}:1-2 * id a entry b") for user in ("token", "data", "cli") for stream in ("feed", "events")
]
ONLY_A_SERVICE_ANSWERS_FOR_ITSELF = [
    (user, f"XADD reply:{other}:token:1 * reply a") for user in SERVICES for other in SERVICES if user != other
]
ONLY_THE_ASKER_READS_ITS_ANSWERS = [
    (user, f"{command} reply:{answering}:{other}:1 {rest}".strip())
    for user in USERS
    for other in USERS
    for answering in SERVICES
    for command, rest in (("XREAD STREAMS", "0"), ("DEL", ""))
    if user != other and (user, other) != ("auth", "cli")  # in containers the command line runs beside auth
]
ONLY_A_SERVICE_REGISTERS_ITSELF = [
    (user, f"ZADD replicas:{other} 0 a:1:1")
    for user, other in (("token", "auth"), ("token", "data"), ("data", "auth"), ("data", "token"), ("cli", "auth"))
]
ONLY_A_SERVICE_SPEAKS_FOR_ITSELF = [
    (user, f"PUBLISH announce:{other} a:1") for user in USERS for other in SERVICES if user != other
]
ONLY_A_SERVICE_TAKES_WHAT_IS_ASKED_OF_IT = [
    (user, f"XREADGROUP GROUP {user} a STREAMS req:{other}:{lane}:{user} >")
    for user in USERS
    for other in SERVICES
    for lane in ("principal", "general", "admin")
    if user != other
]
ONLY_THE_COMMAND_LINE_ADMINISTERS = [
    (user, f"XADD req:{answering}:admin:{asking} * request a")
    for user in ("token", "data")
    for answering in SERVICES
    for asking in USERS
]
THE_COMMAND_LINE_ONLY_ADMINISTERS = [
    ("cli", f"XADD req:{answering}:{lane}:cli * request a")
    for answering in SERVICES
    for lane in ("general", "principal")
]
ONLY_THE_ASKER_ASKS_AS_ITSELF = [
    (user, f"XADD req:auth:principal:{other} * request a")
    for user in ("token", "data", "cli")
    for other in USERS
    if user != other
]
DATA_DOES_NOT_REVOKE = [
    ("data", "ZREM replicas:token a:1:1"),
    ("data", "ZRANGE replicas:auth 0 9"),
    ("data", "SUBSCRIBE announce:auth"),
    ("data", "XADD req:auth:general:data * request a"),
    ("data", "XADD req:token:general:data * request a"),
]
ONLY_AUTH_SAYS_WHICH_REDIS_THIS_IS = [
    (user, command)
    for user in ("token", "data", "cli")
    for command in ("HSET identity stream 9-1", "HDEL identity id", "DEL identity", "SET identity 1")
]
ONLY_AUTH_STRIKES = [("token", "ZREM replicas:data a:1:1"), ("token", "ZREM replicas:auth a:1:1")]
NOBODY_RUNS_SCRIPTS = [
    (user, command)
    for user in USERS
    for command in (
        "EVAL return+1 0", "EVAL return+1 1 identity", "EVALSHA abc 0", "EVAL_RO return+1 0", "SCRIPT LOAD return+1",
        "FUNCTION LOAD a", "FCALL a 0",
    )
]  # fmt: skip
NOBODY_MANAGES = [
    (user, command)
    for user in (*USERS, "health")
    for command in (
        "FLUSHALL", "CONFIG GET dir", "CONFIG GET maxmemory-policy", "ACL LIST", "KEYS *", "SCAN 0", "SAVE",
        "SHUTDOWN", "CLIENT LIST", "MONITOR", "GET anything", "SET anything 1", "PSUBSCRIBE *", "SUBSCRIBE anything",
        "DEL feed:1-2", "XTRIM feed:1-2 MAXLEN 0", "XDEL feed:1-2 1-0", "RENAME feed:1-2 a", "FUNCTION LIST",
        "SELECT 1",
    )
]  # fmt: skip

NOBODY_COUNTS_CALLS_THERE = [
    (user, command)
    for user in SERVICES
    for command in ("INCRBY limits:a 1", "DEL limits:a", "EVALSHA a 1 limits:a", "SCRIPT LOAD return(1)")
]

ONLY_AUTH_KNOWS_THE_USERS = [(user, "ACL USERS") for user in ("token", "data", "cli", "health")]

NO_READING_REPEATS_WHAT_IT_READS = [
    (user, command)
    for user in ("token", "data")
    for command in (
        f"SRANDMEMBER replicas:{user} -80000000",
        f"ZRANDMEMBER replicas:{user} -80000000",
        f"SORT replicas:{user} GET # GET #",
        f"ZSCAN replicas:{user} 0 MATCH *a*a*b",
        "PSUBSCRIBE *a*a*b",
    )
]

FORBIDDEN: list[Command] = [
    *ONLY_AUTH_APPENDS,
    *ONLY_A_SERVICE_ANSWERS_FOR_ITSELF,
    *ONLY_THE_ASKER_READS_ITS_ANSWERS,
    *ONLY_A_SERVICE_REGISTERS_ITSELF,
    *ONLY_A_SERVICE_SPEAKS_FOR_ITSELF,
    *ONLY_A_SERVICE_TAKES_WHAT_IS_ASKED_OF_IT,
    *ONLY_THE_COMMAND_LINE_ADMINISTERS,
    *THE_COMMAND_LINE_ONLY_ADMINISTERS,
    *ONLY_THE_ASKER_ASKS_AS_ITSELF,
    *DATA_DOES_NOT_REVOKE,
    *ONLY_AUTH_SAYS_WHICH_REDIS_THIS_IS,
    *ONLY_AUTH_STRIKES,
    *NOBODY_RUNS_SCRIPTS,
    *NOBODY_MANAGES,
    *NOBODY_COUNTS_CALLS_THERE,
    *ONLY_AUTH_KNOWS_THE_USERS,
    *NO_READING_REPEATS_WHAT_IT_READS,
]

ALLOWED: list[Command] = [
    ("auth", "XADD feed:1-2 1-0 id a entry b"),
    ("auth", "XADD events:1-2 1-0 id a entry b"),
    ("auth", "XADD reply:auth:cli:1 * reply a"),
    ("auth", "XREVRANGE dead:data + -"),
    ("auth", "ACL USERS"),
    ("auth", "SUBSCRIBE announce:data relay"),
    ("token", "SUBSCRIBE announce:auth announce:token announce:data"),
    ("token", "PUBLISH relay 1"),
    ("token", "ZRANGE replicas:data 0 9"),
    ("token", "ZADD replicas:token 0 a:1:1"),
    ("token", "HMGET identity id stream"),
    ("auth", "ZREM replicas:data a:1:1"),
    ("auth", "HSET identity stream 1-2"),
    ("auth", "WATCH feed:1-2"),
    ("token", "XADD req:auth:general:token * request a"),
    ("token", "XADD req:auth:principal:token * request a"),
    ("token", "XADD req:token:principal:token * request a"),
    ("data", "XREAD STREAMS feed:1-2 0"),
    ("data", "XADD req:auth:principal:data * request a"),
    ("data", "XADD req:token:principal:data * request a"),
    ("data", "XADD reply:data:token:1 * reply a"),
    ("data", "XREAD STREAMS reply:auth:data:1 0"),
    ("data", "ZADD replicas:data 0 a:1:1"),
    ("data", "HMGET identity id stream"),
    ("data", "PUBLISH announce:data a:1"),
    ("data", "XGROUP CREATE events:1-2 data 0 MKSTREAM"),
    ("cli", "XADD req:auth:admin:cli * request a"),
    ("cli", "XADD req:token:admin:cli * request a"),
    ("cli", "XADD req:data:admin:cli * request a"),
    ("auth", "XADD req:token:admin:auth * request a"),
    ("cli", "XREAD STREAMS reply:auth:cli:1 0"),
    ("health", "PING"),
]

As = Callable[[str], Redis]


@pytest.fixture
async def as_user(valkey: Valkey) -> AsyncIterator[As]:
    clients: list[Redis] = []

    def connect(user: str) -> Redis:
        # `health` has no password, and so no URL of its own
        url = valkey.url("cli" if user == "health" else user)
        clients.append(open_client(url, name="tests", most=1))
        if user == "health":
            clients[-1].connection_pool.connection_kwargs |= {
                "username": "health",
                "password": "any",
                "client_name": None,
            }
        return clients[-1]

    yield connect
    for client in clients:
        await client.aclose()


@pytest.mark.parametrize(("user", "command"), FORBIDDEN)
async def test_no_user_can_do_what_is_another_s(as_user: As, user: str, command: str) -> None:
    with pytest.raises(NoPermissionError):
        await execute(as_user(user), command)


@pytest.mark.parametrize(("user", "command"), ALLOWED)
async def test_a_user_can_do_what_it_must(as_user: As, user: str, command: str) -> None:
    await execute(as_user(user), command)


async def test_a_connection_without_a_user_name_is_refused(valkey: Valkey) -> None:
    client = open_client(valkey.url("cli"), name="tests")
    client.connection_pool.connection_kwargs |= {"username": None, "password": None, "client_name": None}
    with pytest.raises(RedisError, match=r"(?i)authentication required"):
        await client.ping()
    await client.aclose()


def execute(client: Redis, command: str) -> Awaitable[object]:
    done: Awaitable[object] = client.execute_command(*command.split())  # type: ignore[no-untyped-call] # the client's own
    return done
