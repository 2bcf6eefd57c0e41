"""What cannot be started is refused in words, and nothing is changed by the attempt."""

import json
import os
import socket
from pathlib import Path

import pytest

from services.embedded.datadir import FORMAT
from services.embedded.port import take_port
from tests.integration.embedded.daypass import User, processes_in, sockets

REFUSED = 4


def refused(user: User, data_dir: Path, *arguments: str) -> str:
    """Try to start, and return why not."""
    before = sorted(data_dir.iterdir()) if data_dir.is_dir() else None
    tried = user.run(data_dir, "up", "--json", *arguments)
    assert tried.returncode == REFUSED, tried.stderr
    assert tried.stdout == ""
    assert "Traceback" not in tried.stderr
    assert before is None or sorted(data_dir.iterdir()) == before
    return tried.stderr


def test_a_second_start_on_the_same_data_directory(each_user: User, kept_dir: Path) -> None:
    with each_user.up(kept_dir) as instance:
        said = instance.ready()

        assert f"(process {said['pid']})" in refused(each_user, kept_dir, "--port", "0")
        assert "is in use" not in refused(each_user, kept_dir)
        assert (kept_dir / "run.json").exists()
        assert each_user.run(kept_dir, "status").returncode == 0


def test_a_data_directory_of_a_newer_version(user: User, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "format").write_text(f"{FORMAT + 1}\n")
    data_dir.chmod(0o711)

    assert "newer release" in refused(user, data_dir)


def test_a_cluster_of_another_postgresql(user: User, kept_dir: Path) -> None:
    (kept_dir / "postgres" / "PG_VERSION").write_text("19\n")

    assert "PostgreSQL 19" in refused(user, kept_dir)


def test_a_folder_of_something_else(user: User, data_dir: Path) -> None:
    data_dir.mkdir()
    data_dir.chmod(0o711)
    (data_dir / "thesis.txt").write_text("…")

    with take_port("127.0.0.1", None):
        said = refused(user, data_dir)

    assert "not a data directory of Daypass" in said
    assert "is in use" not in said


def test_a_file_in_place_of_a_directory(user: User, data_dir: Path) -> None:
    data_dir.write_text("…")

    tried = user.run(data_dir / "below", "up")

    assert tried.returncode == REFUSED
    assert "Not a directory" in tried.stderr


def test_a_data_directory_that_the_account_of_the_parts_cannot_reach(user: User, folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only under root do the parts run as another account")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)

    said = refused(user, closed / "data")

    assert "may not enter" in said
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_data_directory_that_its_user_may_not_write(each_user: User, folder: Path) -> None:
    if each_user.uid == 0:
        pytest.skip("root may write everywhere")
    theirs = folder / "theirs"
    theirs.mkdir(mode=0o755)
    if os.geteuid() != 0:
        theirs.chmod(0o555)

    assert "Permission denied" in refused(each_user, theirs / "data")


def test_lost_secrets(user: User, kept_dir: Path) -> None:
    (kept_dir / "secrets.json").unlink()

    said = refused(user, kept_dir)

    assert "secrets.json is missing" in said
    assert "daypass restore --replace" in said


def test_damaged_secrets(user: User, kept_dir: Path) -> None:
    (kept_dir / "secrets.json").write_text("{")

    assert "secrets.json is damaged: put a copy of it back" in refused(user, kept_dir)


def test_another_master_key(user: User, kept_dir: Path) -> None:
    secrets = json.loads((kept_dir / "secrets.json").read_text())
    (kept_dir / "secrets.json").write_text(json.dumps(secrets | {"master_key": "0" * 64}))

    said = user.run(kept_dir, "up", "--port", "0").stderr

    assert "master_key in secrets.json" in said
    assert "put that key back" in said


def test_a_folder_of_sockets_that_belongs_to_somebody_else(user: User, kept_dir: Path) -> None:
    with user.up(kept_dir) as instance:
        instance.ready()
        place = sockets(kept_dir)
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    try:
        assert "belongs to another account" in refused(user, kept_dir)
    finally:
        place.rmdir()


def test_a_taken_port(user: User, data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert f"port {port} of 127.0.0.1 is in use" in refused(user, data_dir, "--port", str(port))

    assert not data_dir.exists()
    assert processes_in(data_dir) == []


def test_an_address_of_another_machine(user: User, data_dir: Path) -> None:
    assert "192.0.2.1" in refused(user, data_dir, "--host", "192.0.2.1")
