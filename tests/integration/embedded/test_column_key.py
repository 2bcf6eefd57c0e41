"""Encrypted columns of an instance: their key in secrets.json, at a start, across a restore, and changed."""

import json
import secrets
from pathlib import Path

import pytest

from tests.integration.embedded.callers import Caller
from tests.integration.embedded.daypass import User

ROWS = "/tablesdb/vault/tables/notes/rows"
SECRET = "needle-in-a-haystack"


def fill(key: Caller) -> None:
    """Make a table with a row that has a sealed value."""
    key.call("POST", "/tablesdb", databaseId="vault", name="Vault")
    key.call("POST", "/tablesdb/vault/tables", tableId="notes", name="Notes")
    key.call("POST", "/tablesdb/vault/tables/notes/columns/text", key="secret", required=False, encrypt=True)
    assert key.call("POST", ROWS, rowId="one", data={"secret": SECRET})[0] == 201


def read(key: Caller) -> str:
    status, row = key.call("GET", f"{ROWS}/one")
    assert status == 200, row
    return str(row["secret"])


def column_key(data_dir: Path, *new: str) -> str:
    """Return the column keys of a data directory, after they were replaced by others if there are any."""
    kept = json.loads((data_dir / "secrets.json").read_text())
    if new:
        (data_dir / "secrets.json").write_text(json.dumps(kept | {"column_key": ",".join(new)}))
    return str(kept["column_key"])


@pytest.fixture
def filled(user: User, kept_dir: Path) -> Path:
    """A data directory with a sealed value."""
    with user.up(kept_dir) as instance:
        fill(Caller.of(instance.ready()))
    return kept_dir


def test_no_file_has_a_value_in_the_clear(filled: Path) -> None:
    files = [path for path in filled.rglob("*") if path.is_file()]

    assert any("base" in path.parts for path in files)
    assert not any(SECRET.encode() in path.read_bytes() for path in files)


def test_another_column_key_refuses_to_start_and_names_the_remedy(user: User, filled: Path) -> None:
    column_key(filled, "0" * 64)

    said = user.run(filled, "up", "--port", "0").stderr

    assert "DAYPASS_COLUMN_KEY lacks the key with the id" in said
    assert "column_key in secrets.json" in said


def test_the_column_key_is_changed_without_a_value_that_is_lost(user: User, filled: Path) -> None:
    old, new = column_key(filled), secrets.token_hex(32)
    column_key(filled, new, old)
    with user.up(filled) as instance:
        key = Caller.of(instance.ready())
        resealed = user.run(filled, "column", "reseal")
        assert read(key) == SECRET
    column_key(filled, new)

    with user.up(filled) as instance:
        assert read(Caller.of(instance.ready())) == SECRET
    assert (resealed.returncode, "1 values were resealed" in resealed.stdout) == (0, True)


def test_a_restore_keeps_the_key_of_what_it_replaces_and_takes_one_for_a_new_directory(
    user: User, filled: Path, folder: Path
) -> None:
    backup, elsewhere, key_file = folder / "backup.tar", folder / "elsewhere", folder / "key"
    assert user.run(filled, "backup", str(backup)).returncode == 0
    key_file.write_text(column_key(filled))

    replaced = user.run(filled, "restore", "--replace", str(backup))
    without = user.run(elsewhere, "restore", str(backup))
    refused = user.run(elsewhere, "up", "--port", "0").stderr
    restored = user.run(elsewhere, "restore", "--replace", "--column-key-file", str(key_file), str(backup))

    assert [one.returncode for one in (replaced, without, restored)] == [0, 0, 0]
    assert "DAYPASS_COLUMN_KEY lacks the key" in refused
    assert SECRET.encode() not in backup.read_bytes()
    assert column_key(filled).encode() not in backup.read_bytes()
    for data_dir in (filled, elsewhere):
        with user.up(data_dir) as instance:
            assert read(Caller.of(instance.ready())) == SECRET
