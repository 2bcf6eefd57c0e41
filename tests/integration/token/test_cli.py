import asyncio
import json
import sys
from pathlib import Path

import pytest

from services.embedded.valkey import Valkey
from services.token.composition import open_token
from services.token.settings import Settings
from shared.contracts.requests import GetKeys
from shared.messaging.bus import Bus

DAYPASS = (sys.executable, "-c", "from services.cli import main; main()")


async def daypass(*arguments: str | Path, **environ: str) -> tuple[int | None, str, str]:
    """Run the command; return exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        *DAYPASS, *arguments, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_keys_are_listed_rotated_and_retired(settings: Settings, valkey: Valkey, bus: Bus) -> None:
    async with open_token(settings):

        async def signing_key(*arguments: str) -> dict[str, str]:
            code, out, err = await daypass("signing-key", *arguments, "--json", DAYPASS_REDIS_URL=valkey.url("cli"))
            assert (code, err) == (0, "")
            return {key["state"]: key["kid"] for key in json.loads(out)}

        first = await signing_key("list")
        rotated = await signing_key("rotate")
        assert await signing_key("reseal") == rotated
        retired = await signing_key("retire", first["active"])

        assert (rotated["retiring"], rotated["active"]) == (first["active"], first["next"])
        assert retired["gone"] == first["active"]
        assert {key.kid for key in (await bus.ask(GetKeys())).keys} == {retired["active"], retired["next"]}


async def test_people_get_a_table_and_the_receipt(settings: Settings, valkey: Valkey) -> None:
    async with open_token(settings):
        code, out, _ = await daypass("signing-key", "rotate", DAYPASS_REDIS_URL=valkey.url("cli"))

    assert code == 0
    assert out.splitlines()[0].split() == ["KEY", "ALGORITHM", "STATE", "SINCE"]
    assert "in force everywhere: n=" in out


async def test_a_refusal_is_told_in_words(settings: Settings, valkey: Valkey) -> None:
    async with open_token(settings):
        code, out, err = await daypass("signing-key", "retire", "unknown", DAYPASS_REDIS_URL=valkey.url("cli"))

    assert (code, out) == (4, "")
    assert "Signing key with the requested ID could not be found." in err
    assert "Traceback" not in err


async def test_redis_is_found_by_a_secret_file(settings: Settings, valkey: Valkey, tmp_path: Path) -> None:
    secret = tmp_path / "redis_url"
    secret.write_text(valkey.url("cli"))
    async with open_token(settings):
        code, _, _ = await daypass("signing-key", "list", DAYPASS_REDIS_URL_FILE=str(secret))

    assert code == 0


@pytest.mark.parametrize("command", [["list"], ["rotate"], ["retire", "k1"]])
async def test_nothing_running_is_said_with_what_to_start(tmp_path: Path, command: list[str]) -> None:
    code, out, err = await daypass("--data-dir", tmp_path / "none", "signing-key", *command)

    assert (code, out) == (3, "")
    assert f"daypass --data-dir {tmp_path / 'none'} up" in err


async def test_a_redis_that_is_away_is_named_without_its_password() -> None:
    code, _, err = await daypass("project", "list", DAYPASS_REDIS_URL="redis://cli:secret@127.0.0.1:1")

    assert code == 1
    assert "Redis does not answer at 127.0.0.1:1" in err
    assert "secret" not in err
