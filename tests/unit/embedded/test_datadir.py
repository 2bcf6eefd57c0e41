import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.embedded.credentials import Credentials, find_credentials, write_credentials
from services.embedded.datadir import DataDir, default_data_dir, erase, holder, locked
from services.embedded.errors import StartRefused
from services.embedded.secret_file import read_or_make
from shared.kernel.settings import Secret


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path)


def test_a_held_directory_names_its_holder_and_is_refused_to_others(data_dir: DataDir) -> None:
    assert holder(data_dir) is None
    with locked(data_dir):
        assert holder(data_dir) == os.getpid()
        with pytest.raises(StartRefused, match=f"process {os.getpid()}"), locked(data_dir):
            pass
    assert holder(data_dir) is None


def test_a_lock_ends_with_the_process_that_held_it(data_dir: DataDir) -> None:
    program = "import os, sys; from pathlib import Path; from services.embedded.datadir import DataDir, locked\n"
    program += "with locked(DataDir(Path(sys.argv[1]))): os._exit(0)"
    subprocess.run([sys.executable, "-c", program, data_dir.path], check=True)

    assert data_dir.lock.read_text() != ""
    assert holder(data_dir) is None


def test_erasing_a_directory_deletes_what_a_killed_process_left_of_its_secrets(data_dir: DataDir) -> None:
    data_dir.format.write_text("1")
    (data_dir.path / "secrets.json.x.unfinished").write_text("secret")

    erase(data_dir)

    assert not data_dir.path.exists()


def test_secrets_are_made_once_and_hide_themselves(data_dir: DataDir) -> None:
    first, second = read_or_make(data_dir), read_or_make(data_dir)

    assert first == second
    assert (
        len({first.master_key, first.file_key, first.column_key, *first.postgres.values(), *first.valkey.values()})
        == 14
    )
    assert first.master_key.reveal() not in repr(first)


def test_damaged_secrets_are_refused(data_dir: DataDir) -> None:
    data_dir.secrets.write_text('{"master_key": 1}')

    with pytest.raises(StartRefused, match="damaged"):
        read_or_make(data_dir)


@pytest.mark.parametrize("text", ["", "DAYPASS_PROJECT=default\n", "nonsense\n"])
def test_credentials_that_lack_something_are_none(data_dir: DataDir, text: str) -> None:
    assert find_credentials(data_dir) is None
    data_dir.credentials.write_text(text)

    assert find_credentials(data_dir) is None


def test_credentials_are_read_as_they_were_written(data_dir: DataDir) -> None:
    credentials = Credentials(project="default", key=Secret("standard_x=y"))
    write_credentials(data_dir, credentials, endpoint="http://127.0.0.1:8080/v1")

    assert find_credentials(data_dir) == credentials
    assert "standard_x" not in repr(credentials)


def test_the_default_is_the_users_own_folder_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        assert default_data_dir() == Path("/var/lib/daypass")
        return
    monkeypatch.setenv("XDG_DATA_HOME", "/elsewhere")
    assert default_data_dir() == Path("/elsewhere/daypass")
    monkeypatch.setenv("XDG_DATA_HOME", "relative/is/ignored")
    assert default_data_dir() == Path.home() / ".local/share/daypass"
