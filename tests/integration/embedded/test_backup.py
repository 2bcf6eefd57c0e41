"""`daypass backup` and `daypass restore`."""

import json
import signal
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.integration.embedded.callers import Caller, fill, read
from tests.integration.embedded.daypass import User, connected, processes_in, superuser
from tests.integration.embedded.stolen import Stolen


async def test_a_backup_of_a_running_instance_is_restored_and_brings_nothing_back(
    user: User, kept_dir: Path, folder: Path
) -> None:
    file, target = folder / "backup.tar", folder / "restored"
    with user.up(kept_dir) as instance:
        key = Caller.of(instance.ready())
        fill(key)
        stolen = await Stolen.take(kept_dir, key)
        made = user.run(kept_dir, "backup", str(file))
        assert made.returncode == 0, made.stderr
        assert read(key) == "kept"
    restored = user.run(target, "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    with user.up(target) as instance:
        again = Caller.of(instance.ready())
        old_key = Caller(again.endpoint, key.headers)

        assert (read(again), read(old_key)) == ("kept", "kept")
        assert await stolen.is_good(again, target) == [401, 401, 401]
        listed = json.loads(user.run(target, "signing-key", "list", "--json").stdout)
        assert stolen.kid not in {one["kid"] for one in listed if one["state"] != "gone"}
        signed_in = {"email": "ada@example.org", "password": "correct horse"}
        assert again.by().status("POST", "/account/sessions/email", **signed_in) == 201
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "copying the database" in made.stderr
    assert "restoring the database" in restored.stderr
    assert processes_in(target) == []
    assert sorted(path.name for path in folder.iterdir()) == ["backup.tar", "data", "restored"]


def test_an_instance_that_is_down_is_backed_up_and_its_directory_replaced(
    user: User, kept_dir: Path, folder: Path
) -> None:
    file = folder / "backup.tar"
    with user.up(kept_dir) as instance:
        fill(Caller.of(instance.ready()))
    assert user.run(kept_dir, "backup", str(file)).returncode == 0
    again = user.run(kept_dir, "backup", str(file))
    with user.up(kept_dir) as instance:
        key = Caller.of(instance.ready())
        key.call("DELETE", "/tablesdb/crm")
        while_it_runs = user.run(kept_dir, "restore", "--replace", str(file))
    not_empty = user.run(kept_dir, "restore", str(file))
    replaced = user.run(kept_dir, "restore", "--replace", str(file))

    assert (while_it_runs.returncode, not_empty.returncode, replaced.returncode) == (4, 4, 0), replaced.stderr
    assert "daypass down" in while_it_runs.stderr
    assert (again.returncode, f"{file} already exists" in again.stderr) == (4, True)
    assert "--replace" in not_empty.stderr
    with user.up(kept_dir) as instance:
        assert read(Caller.of(instance.ready())) == "kept"
    assert len(list(folder.glob("data.replaced-*"))) == 1


@pytest.mark.parametrize("damage", ["a byte", "the end", "no archive", "a newer format"])
def test_a_damaged_archive_is_refused_before_anything_is_touched(
    user: User, kept_dir: Path, folder: Path, damage: str
) -> None:
    file, target = folder / "backup.tar", folder / "restored"
    assert user.run(kept_dir, "backup", str(file)).returncode == 0
    whole = file.read_bytes()
    match damage:
        case "a byte":
            file.write_bytes(whole[:20_000] + bytes([whole[20_000] ^ 1]) + whole[20_001:])
        case "the end":
            file.write_bytes(whole[: len(whole) // 2])
        case "no archive":
            file.write_bytes(b"-- a dump of something else")
        case _:
            file.write_bytes(whole.replace(b'"format": 1', b'"format": 9'))
    refused = user.run(target, "restore", str(file))

    assert refused.returncode == 4, refused.stderr
    assert "newer release" in refused.stderr if damage == "a newer format" else "damaged" in refused.stderr
    assert not target.exists()
    assert sorted(path.name for path in folder.iterdir()) == ["backup.tar", "data"]


async def test_a_backup_holds_no_key_that_signs_and_no_token_that_signs_in(
    user: User, kept_dir: Path, folder: Path
) -> None:
    file = folder / "backup.tar"
    with user.up(kept_dir) as instance:
        await Stolen.take(kept_dir, Caller.of(instance.ready()))
        assert user.run(kept_dir, "backup", str(file)).returncode == 0
        connection = await superuser(kept_dir)
        assert await connection.fetchval("SELECT count(*) FROM auth.tokens") == 1
        await connection.close()
    with tarfile.open(file) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type] # it is a file
    assert user.run(folder / "restored", "restore", str(file)).returncode == 0

    assert (manifest["format"], list(manifest["files"])) == (1, ["database.dump"])
    with user.up(folder / "restored") as instance:
        instance.ready()
        connection = await superuser(folder / "restored")
        assert await connection.fetchval("SELECT count(*) FROM auth.tokens") == 0
        await connection.close()


TRAP = """
    CREATE FUNCTION data.spring(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
        IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user) THEN
            CREATE ROLE taken SUPERUSER;
        END IF;
        RETURN true;
    END $$;
    CREATE TABLE data.trap (bait integer CHECK (data.spring(bait)));
    CREATE INDEX ON data.trap (data.spring(bait));
    INSERT INTO data.trap VALUES (1);
"""


async def test_a_restore_runs_what_a_service_left_in_its_tables_with_no_more_than_its_own_rights(
    user: User, kept_dir: Path, folder: Path
) -> None:
    file, target = folder / "backup.tar", folder / "restored"
    with user.up(kept_dir) as instance:
        instance.ready()
        traitor = await connected(kept_dir, "data")
        await traitor.execute(TRAP)
        await traitor.close()
        assert user.run(kept_dir, "backup", str(file)).returncode == 0
    restored = user.run(target, "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    with user.up(target) as instance:
        instance.ready()
        connection = await superuser(target)

        assert await connection.fetchval("SELECT count(*) FROM data.trap") == 1
        assert not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = 'taken'")
        owners = "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace::regnamespace::text = $1"
        for schema, owner in {"feed": "auth", "auth": "auth", "token": "token", "data": "data"}.items():
            assert await connection.fetchval(owners, schema) == f"daypass_{owner}"
        await connection.close()


KILLED_AT = {
    "in the middle": "operations.mark_restored",
    "before it takes its place": "operations._put_in_place",
    "after it took its place": "operations.now",
}
"""What kills the process when it is called."""

KILLED = """
import os, signal, sys
from services.cli import main
from services.embedded import backup as operations
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
{} = die
main(sys.argv[1:])
"""


@pytest.mark.parametrize("moment", KILLED_AT)
def test_a_restore_that_is_killed_leaves_what_was_there_or_all_of_the_backup(
    user: User, kept_dir: Path, folder: Path, moment: str
) -> None:
    file = folder / "backup.tar"
    with user.up(kept_dir) as instance:
        key = Caller.of(instance.ready())
        fill(key)
        assert user.run(kept_dir, "backup", str(file)).returncode == 0
        key.call("PATCH", "/tablesdb/crm/tables/notes/rows/one", data={"text": "later"})
    restore = ["--data-dir", str(kept_dir), "restore", "--replace", str(file)]
    command = [sys.executable, "-c", KILLED.format(KILLED_AT[moment]), *restore]
    killed = subprocess.run(command, env=user.environ(), capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    took_place = moment.startswith("after")

    with user.up(kept_dir) as instance:
        assert read(Caller.of(instance.ready())) == ("kept" if took_place else "later")
    again = user.run(kept_dir, "restore", "--replace", str(file))
    assert again.returncode == (4 if took_place else 0), again.stderr
    if took_place:
        assert f"{kept_dir}.restoring holds the data that an earlier restore replaced" in again.stderr
    else:
        with user.up(kept_dir) as instance:
            assert read(Caller.of(instance.ready())) == "kept"
    assert processes_in(kept_dir) == []
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
