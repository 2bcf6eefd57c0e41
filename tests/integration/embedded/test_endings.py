"""However an instance ends, no process is left, and the next start is a clean one."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.embedded.foreign_process import pid_in
from services.embedded.programs import find_programs
from tests.eventually import eventually
from tests.integration.embedded.daypass import PATIENCE_S, User, processes_in


async def nothing_runs_in(data_dir: Path) -> None:
    nothing: list[str] = []
    await eventually(lambda: processes_in(data_dir), nothing)


def starts_again(user: User, data_dir: Path) -> None:
    with user.up(data_dir) as instance:
        instance.ready()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_everything_in_order(user: User, kept_dir: Path, number: signal.Signals) -> None:
    with user.up(kept_dir) as instance:
        instance.ready()
        code, said = instance.signal(number)

    assert code == 0, said
    assert "stopped" in said
    assert processes_in(kept_dir) == []
    assert not (kept_dir / "run.json").exists()
    told = (kept_dir / "postgres.log").read_text()
    assert "database system is shut down" in told
    assert "terminating connection" not in told, "the services had not let go of PostgreSQL when it was stopped"
    assert "ready to exit" in (kept_dir / "valkey.log").read_text()


@pytest.mark.parametrize("step", ["creating a PostgreSQL cluster", "starting Valkey", "starting the services"])
def test_a_signal_while_it_starts_leaves_no_process_and_a_clean_next_start(
    user: User, data_dir: Path, step: str
) -> None:
    with user.up(data_dir) as instance:
        instance.says(step)
        code, said = instance.signal(signal.SIGINT)

    assert code == 0, said
    assert processes_in(data_dir) == []
    starts_again(user, data_dir)


async def test_a_killed_parent_takes_its_children_along(each_user: User, kept_dir: Path) -> None:
    with each_user.up(kept_dir) as instance:
        instance.ready()
        assert len(processes_in(kept_dir)) > 2
        instance.process.kill()
        instance.ended()

    await nothing_runs_in(kept_dir)
    starts_again(each_user, kept_dir)


async def test_a_part_that_ends_by_itself_ends_everything(user: User, kept_dir: Path) -> None:
    with user.up(kept_dir) as instance:
        instance.ready()
        postmaster = pid_in(kept_dir / "postgres" / "postmaster.pid")
        assert postmaster is not None
        os.kill(postmaster, signal.SIGKILL)
        code, said = instance.ended()

    assert code == 1
    assert "PostgreSQL stopped by itself" in said
    await nothing_runs_in(kept_dir)
    starts_again(user, kept_dir)


@pytest.mark.parametrize("part", ["postgres", "valkey"])
async def test_an_orphan_of_the_same_data_directory_is_stopped(each_user: User, kept_dir: Path, part: str) -> None:
    with orphan(kept_dir, part) as process:
        pid_file = {"postgres": "postmaster.pid", "valkey": "valkey.pid"}[part]
        await eventually(lambda: pid_in(kept_dir / part / pid_file) == process.pid, expected=True)

        with each_user.up(kept_dir) as instance:
            instance.ready()

            assert process.wait(PATIENCE_S) == 0
            assert instance.signal(signal.SIGINT)[0] == 0


@contextlib.contextmanager
def orphan(kept_dir: Path, part: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a part on its data without a Daypass that it would die with."""
    programs, place = find_programs(None, copies=kept_dir), kept_dir / part
    command = {
        "postgres": f"{programs.postgres} -D {place} -c listen_addresses= -k {place}",
        "valkey": f"{programs.valkey} valkey.conf --unixsocket {place}/orphan.sock",
    }[part].split()
    with subprocess.Popen([*as_owner_of(place), *command], cwd=place, stdout=subprocess.DEVNULL) as it:
        try:
            yield it
        finally:
            it.kill()


def as_owner_of(place: Path) -> list[str]:
    """Return what comes before a command that the account of the parts is to run."""
    owner = place.stat()
    return ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"] * (os.geteuid() == 0)


def test_a_process_that_has_a_dead_one_s_id_by_now_is_left_alone(user: User, kept_dir: Path) -> None:
    with subprocess.Popen([*as_owner_of(kept_dir / "postgres"), "sleep", "600"]) as process:
        try:
            for file in (kept_dir / "postgres" / "postmaster.pid", kept_dir / "valkey" / "valkey.pid"):
                file.write_text(f"{process.pid}\n{kept_dir}/postgres\n1\n5432\n\n\n\nready\n")

            starts_again(user, kept_dir)

            assert process.poll() is None
        finally:
            process.kill()
