"""`daypass status`, `down`, `reset`, and `up --detach`."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from tests.integration.embedded.daypass import User, processes_in

NOT_RUNNING = 3
REFUSED = 4


@contextlib.contextmanager
def detached(user: User, data_dir: Path) -> Iterator[dict[str, object]]:
    started = user.run(data_dir, "up", "--detach", "--json", "--port", "0")
    try:
        assert started.returncode == 0, started.stderr
        yield json.loads(started.stdout)
    finally:
        user.run(data_dir, "down")


def test_detached_it_goes_on_in_a_session_of_its_own_until_down(each_user: User, data_dir: Path) -> None:
    with detached(each_user, data_dir) as said:
        pid = int(str(said["pid"]))
        assert os.getsid(pid) == pid
        assert (data_dir / "daypass.log").exists()

        ended = each_user.run(data_dir, "down")

        assert ended.returncode == 0
        assert "has stopped" in ended.stdout
        assert processes_in(data_dir) == []


def test_a_detached_start_that_fails_says_so_and_has_its_exit_code(user: User, kept_dir: Path) -> None:
    with detached(user, kept_dir):
        tried = user.run(kept_dir, "up", "--detach", "--port", "0")

    assert tried.returncode == REFUSED
    assert "already" in tried.stderr


def test_status_says_where_it_answers(each_user: User, kept_dir: Path) -> None:
    with each_user.up(kept_dir) as instance:
        said = instance.ready()

        told = each_user.run(kept_dir, "status")
        facts = json.loads(each_user.run(kept_dir, "status", "--json").stdout)

    assert told.returncode == 0
    assert said["endpoint"] in told.stdout
    issuer = facts.pop("issuer")
    assert issuer.startswith("urn:daypass:")
    assert issuer in told.stdout
    assert facts == {"state": "ready", "endpoint": said["endpoint"], "pid": said["pid"], "data_dir": str(kept_dir)}


def test_status_and_down_say_what_to_start_where_nothing_runs(user: User, data_dir: Path) -> None:
    for command in ("status", "down"):
        tried = user.run(data_dir, command)

        assert tried.returncode == NOT_RUNNING
        assert f"daypass --data-dir {data_dir} up" in tried.stderr


def test_a_killed_instance_does_not_run(user: User, kept_dir: Path) -> None:
    with user.up(kept_dir) as instance:
        instance.ready()
        instance.process.kill()
        instance.ended()

    assert (kept_dir / "run.json").exists()
    assert user.run(kept_dir, "status").returncode == NOT_RUNNING
    with user.up(kept_dir) as instance:
        instance.ready()


def test_reset_asks_and_then_deletes_all(each_user: User, kept_dir: Path) -> None:

    kept = each_user.run(kept_dir, "reset", said="n\n")
    assert kept.returncode == 1
    assert (kept_dir / "postgres").exists()

    deleted = each_user.run(kept_dir, "reset", said="y\n")
    assert deleted.returncode == 0
    assert not kept_dir.exists()


def test_reset_of_nothing_says_so_and_does_not_ask(user: User, data_dir: Path) -> None:
    tried = user.run(data_dir, "reset")

    assert tried.returncode == REFUSED
    assert f"There is no {data_dir}" in tried.stderr
    assert "Delete everything" not in tried.stdout + tried.stderr


def test_reset_is_refused_while_an_instance_runs(user: User, kept_dir: Path) -> None:
    with user.up(kept_dir) as instance:
        instance.ready()

        assert user.run(kept_dir, "reset", "--yes").returncode == REFUSED
        assert user.run(kept_dir, "status").returncode == 0


def test_reset_leaves_alone_what_is_not_daypass_s(user: User, folder: Path) -> None:
    (folder / "thesis.txt").write_text("…")

    assert user.run(folder, "reset", "--yes").returncode == REFUSED
    assert (folder / "thesis.txt").exists()
