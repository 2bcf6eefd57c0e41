"""What was ended stays ended when an older copy of the data is put back, whichever way."""

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.integration.embedded.callers import Caller
from tests.integration.embedded.daypass import User
from tests.integration.embedded.stolen import Stolen, is_a_later_second


def copied(source: Path | str, target: Path) -> None:
    """Copy a folder, or what is in it, with all that its files have."""
    subprocess.run(["cp", "-a", source, target], check=True)


def put_back_postgres(copy: Path, data_dir: Path) -> None:
    """As one restores PostgreSQL alone."""
    shutil.rmtree(data_dir / "postgres")
    copied(copy / "postgres", data_dir / "postgres")


def put_back_all(copy: Path, data_dir: Path) -> None:
    """As one who has a copy of the whole directory."""
    shutil.rmtree(data_dir)
    copied(copy, data_dir)


def put_back_by_renaming(copy: Path, data_dir: Path) -> None:
    data_dir.rename(data_dir.with_name("broken"))
    copy.rename(data_dir)


def put_back_in_place(copy: Path, data_dir: Path) -> None:
    """As rsync or cp do over what is there."""
    copied(f"{copy}/.", data_dir)


PutBack = Callable[[Path, Path], None]


@pytest.mark.parametrize("put_back", [put_back_postgres, put_back_all, put_back_by_renaming, put_back_in_place])
async def test_a_copy_of_the_data_that_is_put_back_brings_nothing_back(
    user: User, kept_dir: Path, put_back: PutBack
) -> None:
    copy = kept_dir.with_name("copy")
    with user.up(kept_dir) as instance:
        key = Caller.of(instance.ready())
        stolen = await Stolen.take(kept_dir, key)
    copied(kept_dir, copy)
    with user.up(kept_dir) as instance:
        key = Caller.of(instance.ready())
        assert await stolen.is_good(key, kept_dir) == [200, 200, 201]
        assert key.status("DELETE", f"/users/{stolen.user}/sessions") == 204
        for step in (("rotate",), ("retire", stolen.kid)):
            assert user.run(kept_dir, "signing-key", *step).returncode == 0
        assert await stolen.is_good(key, kept_dir) == [401, 401, 401]
    put_back(copy, kept_dir)
    with user.up(kept_dir) as instance:
        key = Caller.of(instance.ready())
        await eventually(lambda: is_a_later_second(kept_dir), True)
        listed = json.loads(user.run(kept_dir, "signing-key", "list", "--json").stdout)

        assert await stolen.is_good(key, kept_dir) == [401, 401, 401]
        assert {one["state"] for one in listed if one["kid"] == stolen.kid} == {"gone"}
        assert sorted(one["state"] for one in listed if one["state"] != "gone") == ["active", "next"]
        _, made = key.call("POST", f"/users/{stolen.user}/jwts")
        assert key.by(X_Appwrite_JWT=made["jwt"]).status("GET", "/account") == 200


async def test_a_directory_that_nobody_copied_keeps_its_sessions_however_it_ends(user: User, kept_dir: Path) -> None:
    with user.up(kept_dir) as instance:
        stolen = await Stolen.take(kept_dir, Caller.of(instance.ready()))
    moved = kept_dir.rename(kept_dir.with_name("moved"))
    for end in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
        with user.up(moved) as instance:
            key = Caller.of(instance.ready())
            assert key.by(X_Appwrite_Session=stolen.session).status("GET", "/account") == 200
            instance.signal(end)


async def test_a_start_can_be_told_of_a_restoration_that_it_cannot_notice(user: User, kept_dir: Path) -> None:
    with user.up(kept_dir) as instance:
        stolen = await Stolen.take(kept_dir, Caller.of(instance.ready()))
    with user.up(kept_dir, "--restored") as instance:
        key = Caller.of(instance.ready())
        await eventually(lambda: is_a_later_second(kept_dir), True)

        assert await stolen.is_good(key, kept_dir) == [401, 401, 401]
