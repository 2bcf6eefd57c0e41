"""Users who bring the hash of their password along. The hashes were made by other programs: OpenSSL, libcrypt, passlib,
Node's crypto; all but the ones that say otherwise are of PASSWORD."""

import itertools
import json
import statistics
import time

import asyncpg
import pytest

from services.auth.passwords.domain.hashes import describe_hash, read_wrapped
from tests.integration.auth.conftest import PASSWORD, World
from tests.integration.auth.hashes import BCRYPT, GOOD, PHPASS, SCRYPT, SCRYPT_MODIFIED, SHA
from tests.integration.auth.people import sign_in

NAMES = map("imported{}@example.org".format, itertools.count())

ARGON2 = "$argon2id$v=19$m={m},t={t},p={p}$c29tZXNhbHRzYWx0$RdescudvJCsgt3ub+b5dWRWJTmaaJObG"
BAD: list[tuple[str, dict[str, object]]] = [
    ("md5", {"password": "3cb4e732631f47e6eb961f34554b7cd"}),
    ("md5", {"password": "3cb4e732631f47e6eb961f34554b7cdg"}),
    ("sha", {"password": SHA["sha1"], "passwordVersion": "sha256"}),
    ("sha", {"password": SHA["sha1"], "passwordVersion": "shake_256"}),
    ("bcrypt", {"password": f"$2x$05${BCRYPT}"}),
    ("bcrypt", {"password": f"$2y$05${BCRYPT[:-1]}"}),
    ("bcrypt", {"password": f"$2y$05${BCRYPT}\n"}),
    ("bcrypt", {"password": f"$2y$03${BCRYPT}"}),
    ("bcrypt", {"password": f"$2y$15${BCRYPT}"}),
    ("bcrypt", {"password": f"$2y$31${BCRYPT}"}),
    ("phpass", {"password": f"$S${PHPASS}"}),
    ("phpass", {"password": f"$P$F{PHPASS[1:]}"}),
    ("phpass", {"password": f"$P$z{PHPASS[1:]}"}),
    ("phpass", {"password": f"$P$.{PHPASS[1:]}"}),
    ("argon2", {"password": "$argon2id$garbage"}),
    ("argon2", {"password": ARGON2.format(m=2**18 + 1, t=1, p=1)}),
    ("argon2", {"password": ARGON2.format(m=2**18, t=5, p=1)}),
    ("argon2", {"password": ARGON2.format(m=8, t=2**20, p=1)}),
    ("argon2", {"password": ARGON2.format(m=2**16, t=1, p=17)}),
    ("argon2", {"password": ARGON2.format(m=8, t=0, p=1)}),
    ("scrypt", SCRYPT | {"passwordCpu": 2**17}),
    ("scrypt", SCRYPT | {"passwordCpu": 2**16, "passwordMemory": 1}),
    ("scrypt", SCRYPT | {"passwordCpu": 16383}),
    ("scrypt", SCRYPT | {"passwordCpu": 1}),
    ("scrypt", SCRYPT | {"passwordCpu": 0}),
    ("scrypt", SCRYPT | {"passwordCpu": -16384, "passwordMemory": -14}),
    ("scrypt", SCRYPT | {"passwordMemory": 0}),
    ("scrypt", SCRYPT | {"passwordCpu": 2, "passwordMemory": 1, "passwordParallel": 1025}),
    ("scrypt", SCRYPT | {"passwordCpu": 2, "passwordMemory": 1024, "passwordParallel": 512}),
    ("scrypt", SCRYPT | {"passwordLength": 63}),
    ("scrypt", SCRYPT | {"password": "ab", "passwordLength": 1}),
    ("scrypt-modified", SCRYPT_MODIFIED | {"passwordSignerKey": "no base64"}),
    ("scrypt-modified", SCRYPT_MODIFIED | {"password": "", "passwordSignerKey": ""}),
    ("scrypt-modified", SCRYPT_MODIFIED | {"password": "AAAA"}),
    ("scrypt-modified", {"password": SCRYPT_MODIFIED["password"]}),
]
NAMES_OF_KINDS = {"scrypt-modified": "scryptMod"}


@pytest.mark.parametrize(("kind", "body"), GOOD)
async def test_a_user_with_an_imported_hash_signs_in_and_then_has_one_of_ours(
    world: World, kind: str, body: dict[str, object]
) -> None:
    email = next(NAMES)
    made = await world.key.call("POST", f"/users/{kind}", userId="unique()", email=email.upper(), name="Ada", **body)
    before = (await world.key.call("GET", f"/users/{made.json['$id']}")).json
    wrong = await sign_in(world.guest, email, "not the password")
    still = (await world.key.call("GET", f"/users/{made.json['$id']}")).json
    right = await sign_in(world.guest, email)
    after = (await world.key.call("GET", f"/users/{made.json['$id']}")).json

    assert (made.status, made.json["email"], made.json["name"]) == (201, email, "Ada")
    assert before["hash"] == before["hashOptions"]["type"] == NAMES_OF_KINDS.get(kind, kind)
    assert before["passwordUpdate"]
    assert wrong == (401, "user_invalid_credentials")
    assert still["hashOptions"] == before["hashOptions"]
    assert right == (201, "")
    assert after["hashOptions"] == {"type": "argon2", "memoryCost": 8, "timeCost": 1, "threads": 1}
    assert after["passwordUpdate"] == before["passwordUpdate"]
    assert await sign_in(world.guest, email) == (201, "")
    assert await sign_in(world.guest, email, "not the password") == (401, "user_invalid_credentials")


@pytest.mark.parametrize(("kind", "body"), BAD)
async def test_an_invalid_or_too_expensive_hash_is_refused(world: World, kind: str, body: dict[str, object]) -> None:
    made = await world.key.call("POST", f"/users/{kind}", userId="unique()", email=next(NAMES), **body)

    assert made.error == (400, "general_argument_invalid")


@pytest.mark.parametrize(
    ("hash_", "password", "others"),
    [
        ("$2y$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q", "x" * 100, ["x" * 71, "x" * 71 + "y"]),
        (
            "$2y$05$abcdefghijklmnopqrstuuVySm56vik.n9E.5bdNioy4fs8YU3psG",
            "a" + "ü" * 50,
            ["a" + "ü" * 35, "a" + "ü" * 34 + "ö" * 16],
        ),
    ],
)
async def test_bcrypt_reads_72_bytes_of_a_password_as_php_does(
    world: World, hash_: str, password: str, others: list[str]
) -> None:
    email = next(NAMES)
    made = await world.key.call("POST", "/users/bcrypt", userId="unique()", email=email, password=hash_)

    assert made.status == 201, made.json
    for other in others:
        assert await sign_in(world.guest, email, other) == (401, "user_invalid_credentials")
    assert await sign_in(world.guest, email, password) == (201, "")
    # Ours reads all of it.
    assert await sign_in(world.guest, email, password + "z") == (401, "user_invalid_credentials")


async def test_a_hash_that_was_brought_proves_the_old_password_too(world: World) -> None:
    body = {"userId": "unique()", "email": next(NAMES), "password": f"$2y$05${BCRYPT}"}
    made = await world.key.call("POST", "/users/bcrypt", **body)
    session = await world.session(made.json["$id"])

    for old, status in (("not the password", 401), (PASSWORD, 200)):
        changed = await session.call("PATCH", "/account/password", password="another password", oldPassword=old)
        assert changed.status == status
    assert (await world.key.call("POST", "/users/md5", **body | {"password": "0" * 32})).error == (
        409,
        "user_already_exists",
    )


@pytest.mark.parametrize(("kind", "body"), [("scrypt", SCRYPT), ("scrypt-modified", SCRYPT_MODIFIED)])
async def test_neither_hash_nor_salt_nor_key_is_shown(world: World, kind: str, body: dict[str, object]) -> None:
    made = await world.key.call("POST", f"/users/{kind}", userId="unique()", email=next(NAMES), **body)

    assert not {str(value) for name, value in body.items() if isinstance(value, str) and len(value) > 8} & set(
        _texts(made.json)
    )
    assert made.json["password"] == ""


def test_a_hash_of_argon2_is_kept_as_it_is() -> None:
    kept = ARGON2.format(m=64, t=2, p=1)

    assert read_wrapped(kept) is None
    assert describe_hash(kept)[1] == {"type": "argon2", "memoryCost": 64, "timeCost": 2, "threads": 1}
    assert describe_hash(None) == ("", {})


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [str(value)]


@pytest.mark.parametrize(("kind", "body"), [one for one in GOOD if one[0] != "argon2"])
async def test_no_hash_that_was_brought_lies_bare_in_the_database(
    world: World, kind: str, body: dict[str, object]
) -> None:
    made = await world.key.call("POST", f"/users/{kind}", userId="unique()", email=next(NAMES), **body)
    connection = await asyncpg.connect(world.database.dsn("auth"))
    kept = await connection.fetchval("SELECT password_hash FROM auth.users WHERE id = $1", made.json["$id"])
    await connection.close()

    digest = str(body["password"]).rpartition("$")[2][-20:].lower()
    assert digest not in kept.lower()
    assert json.loads(kept)["hash"].startswith("$argon2id$")


async def test_everybody_waits_for_the_slowest_hash_of_the_project(world: World) -> None:
    """A user who was imported, one who was not, and nobody: medians lie together, whatever kind of hash is checked."""
    slow, quick, own = next(NAMES), next(NAMES), await world.sign_up(next(NAMES))
    await world.key.call("POST", "/users/bcrypt", userId="unique()", email=slow, password=f"$2y$12${BCRYPT}")
    await world.key.call("POST", "/users/md5", userId="unique()", email=quick, password="0" * 32)
    ours = (await world.key.call("GET", f"/users/{own}")).json["email"]

    async def median_s(email: str) -> float:
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            assert (await sign_in(world.guest, email, "not the password"))[0] == 401
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    found = [await median_s(email) for email in (slow, quick, ours, "nobody@example.org")]
    assert min(found) > 0.3 * max(found), found
