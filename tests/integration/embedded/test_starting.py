"""What a start makes, says and keeps."""

import json
import os
import re
import signal
import stat
import subprocess
from pathlib import Path

from services.embedded.port import DEFAULT_PORT, take_port
from tests.integration.embedded.daypass import User, environ, processes_in, sockets, superuser

PRIVATE = 0o600


async def test_data_stays_between_starts(each_user: User, kept_dir: Path) -> None:
    with each_user.up(kept_dir) as instance:
        first = instance.ready()
        connection = await superuser(kept_dir)
        await connection.execute("CREATE TABLE public.kept AS SELECT 7 AS number")
        await connection.close()

    with each_user.up(kept_dir) as instance:
        second = instance.ready()
        connection = await superuser(kept_dir)

        assert await connection.fetchval("SELECT number FROM public.kept") == 7
        assert (second["project"], second["key"]) == (first["project"], first["key"])
        await connection.close()


def test_a_data_directory_with_a_path_of_200_bytes(each_user: User, folder: Path) -> None:
    missing = 200 - len(str(folder)) - 2
    data_dir = folder / ("p" * (missing // 2)) / ("q" * (missing - missing // 2))
    data_dir.parent.mkdir()
    os.chown(data_dir.parent, each_user.uid, -1)
    assert len(str(data_dir)) == 200

    with each_user.up(data_dir) as instance:
        assert instance.ready()["project"] == "default"


def test_a_directory_that_was_open_to_others_is_closed(each_user: User, kept_dir: Path) -> None:
    kept_dir.chmod(0o755)
    with each_user.up(kept_dir) as instance:
        pid = instance.ready()["pid"]
        limits = [Path(f"/proc/{process}/limits").read_text() for process in (pid, *children(pid))]

        assert stat.S_IMODE(kept_dir.stat().st_mode) & 0o067 == 0
        assert {log.name for log in kept_dir.glob("*.log")} == {"postgres.log", "valkey.log"}
        assert {stat.S_IMODE(log.stat().st_mode) for log in kept_dir.glob("*.log")} == {PRIVATE}
        assert len(limits) == 3
        assert all(re.search(r"^Max core file size +0 +0 ", limit, re.MULTILINE) for limit in limits)


def children(pid: int) -> list[str]:
    """Return the process ids of PostgreSQL and Valkey."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_json_is_exactly_one_line_on_stdout(user: User, kept_dir: Path) -> None:
    with user.up(kept_dir) as instance:
        said = instance.ready()
        instance.process.terminate()
        rest, progress = instance.process.communicate()

    assert list(said) == ["endpoint", "project", "key", "pid"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", said["endpoint"])
    assert said["pid"] == instance.process.pid
    assert rest == ""
    assert "starting Valkey" in progress
    assert said["key"] not in progress


def test_the_credentials_file_is_private_and_says_what_json_says(each_user: User, data_dir: Path) -> None:
    with each_user.up(data_dir) as instance:
        said = instance.ready()
        lines = (data_dir / "credentials.env").read_text().splitlines()[1:]

    assert dict(line.split("=", 1) for line in lines) == {
        "DAYPASS_ENDPOINT": said["endpoint"],
        "DAYPASS_PROJECT": said["project"],
        "DAYPASS_KEY": said["key"],
    }


def test_the_first_key_is_in_its_file_and_nowhere_else(user: User, data_dir: Path) -> None:
    with user.up(data_dir) as instance:
        key = instance.ready()["key"].encode()
    files = [path for path in data_dir.rglob("*") if path.is_file()]

    assert any(path.parent.name == "appendonlydir" for path in files)
    assert [path.name for path in files if key in path.read_bytes()] == ["credentials.env"]


def test_nothing_with_a_secret_in_it_can_be_read_by_others(each_user: User, data_dir: Path) -> None:
    with each_user.up(data_dir) as instance:
        instance.ready()
        secrets = json.loads((data_dir / "secrets.json").read_text())
        every = [
            secrets["master_key"],
            secrets["file_key"],
            secrets["column_key"],
            *secrets["postgres"].values(),
            *secrets["valkey"].values(),
        ]
        files = [path for path in data_dir.rglob("*") if path.is_file() and path.parent.name not in {"base", "pg_wal"}]
        telling = [path for path in files if any(secret.encode() in path.read_bytes() for secret in every)]
        commands = "\n".join(processes_in(data_dir))

        assert {path.name for path in telling} == {"secrets.json", "run.json"}
        for path in [*telling, data_dir / "credentials.env", data_dir / "valkey" / "users.acl"]:
            assert stat.S_IMODE(path.stat().st_mode) == PRIVATE
        assert not any(secret in commands for secret in every)
        assert stat.S_IMODE(sockets(data_dir).stat().st_mode) == 0o700
        assert not stat.S_IMODE(data_dir.stat().st_mode) & 0o007


def test_the_folder_of_the_sockets_goes_with_the_instance(each_user: User, kept_dir: Path) -> None:
    with each_user.up(kept_dir) as instance:
        instance.ready()
        folder = sockets(kept_dir)
        assert {path.name for path in folder.iterdir()} >= {"valkey.sock", ".s.PGSQL.5432"}

    assert not folder.exists()


def test_without_a_chosen_port_the_next_free_one_is_taken_and_said(user: User, kept_dir: Path) -> None:
    with take_port("127.0.0.1", None) as listener, user.up(kept_dir, port=None) as instance:
        taken = listener.getsockname()[1]
        endpoint = instance.ready()["endpoint"]
        said = instance.signal(signal.SIGINT)[1]

    port = int(endpoint.removesuffix("/v1").rsplit(":", 1)[1])
    assert port > taken
    assert f"port {DEFAULT_PORT} is in use, so Daypass uses {port} instead" in said


def test_rate_limits_and_the_like_are_settings_of_the_environment(user: User, kept_dir: Path) -> None:
    tried = subprocess.run(
        user.command(kept_dir, "up"),
        env=environ() | {"DAYPASS_RATE_LIMITS": "perhaps", "DAYPASS_PORT": "9000"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert tried.returncode == 1
    assert "DAYPASS_RATE_LIMITS: must be on or off" in tried.stderr
    assert "DAYPASS_PORT is ignored by `daypass up`: use --port" in tried.stderr
    assert processes_in(kept_dir) == []


def test_a_first_start_logs_no_warning(user: User, data_dir: Path) -> None:
    with user.up(data_dir) as instance:
        instance.ready()
        said = instance.signal(signal.SIGINT)[1]

    assert "registry" not in said
    assert '"level"' not in said
