import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.kernel.private_file import write_private


def test_a_private_file_is_whole_private_and_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("older")
    path.chmod(0o644)

    write_private(path, "newer")

    assert path.read_text() == "newer"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_private_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.mkdir()

    with pytest.raises(OSError, match="directory"):
        write_private(path, "newer")

    assert list(tmp_path.iterdir()) == [path]


def test_one_of_several_writers_at_once_writes_the_whole_file(tmp_path: Path) -> None:
    path, contents = tmp_path / "secret", [letter * 100_000 for letter in "abcdefgh"]

    with ThreadPoolExecutor(len(contents)) as threads:
        list(threads.map(lambda content: write_private(path, content), contents))

    assert path.read_text() in contents
    assert list(tmp_path.iterdir()) == [path]
