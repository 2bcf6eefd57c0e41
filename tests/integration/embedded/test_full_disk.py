"""A full disk is told in words, leaves no process, and once there is room the next start is a clean one."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.integration.embedded.daypass import User, processes_in, superuser

ROOM_MIB = 120


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    """A small file system in memory."""
    place = folder / "disk"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(mount(place, 8), capture_output=True, check=False).returncode != 0:
        pytest.skip("only root, and not in every container, may mount a small disk to fill")
    place.chmod(0o711)
    yield place
    with contextlib.suppress(subprocess.CalledProcessError):
        subprocess.run(["umount", place], check=True)


def mount(place: Path, mib: int, *options: str) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", ",".join([f"size={mib}m", *options]), "daypass-test", str(place)]


def resize(place: Path, mib: int) -> None:
    subprocess.run(mount(place, mib, "remount"), check=True)


def test_a_first_start_on_a_full_disk(user: User, disk: Path) -> None:
    data_dir = disk / "data"
    with user.up(data_dir) as instance:
        code, said = instance.ended()

    assert code == 1
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert processes_in(data_dir) == []
    resize(disk, ROOM_MIB)
    with user.up(data_dir) as instance:
        instance.ready()


def test_a_later_start_on_a_full_disk(user: User, disk: Path) -> None:
    data_dir = disk / "data"
    resize(disk, ROOM_MIB)
    with user.up(data_dir) as instance:
        instance.ready()
    fill(disk)

    with user.up(data_dir) as instance:
        code, said = instance.ended()

    assert code == 1
    assert "No space left on device" in said
    assert processes_in(data_dir) == []
    (disk / "filler").unlink()
    with user.up(data_dir) as instance:
        instance.ready()


async def test_a_disk_that_fills_while_it_runs_loses_nothing_that_was_committed(user: User, disk: Path) -> None:
    data_dir = disk / "data"
    resize(disk, ROOM_MIB)
    with user.up(data_dir) as instance:
        instance.ready()
        connection = await superuser(data_dir)
        await connection.execute("CREATE TABLE public.kept (number integer); INSERT INTO public.kept VALUES (7)")
        fill(disk)
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await write_for_ever(connection)
        connection.terminate()
        instance.process.send_signal(signal.SIGTERM)
        instance.ended()

    assert processes_in(data_dir) == []
    (disk / "filler").unlink()
    with user.up(data_dir) as instance:
        instance.ready()
        connection = await superuser(data_dir)
        assert await connection.fetchval("SELECT number FROM public.kept") == 7
        await connection.close()


async def write_for_ever(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    while True:
        await connection.execute("SELECT pg_logical_emit_message(true, 'test', repeat('x', 1000000))")


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(1 << 16))
