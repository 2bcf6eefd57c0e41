import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.embedded.daypass import User

ME = User(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid())
ORDINARY = pwd.getpwnam("daemon")
SOMEBODY = User(
    "daemon", ORDINARY.pw_uid, ("setpriv", f"--reuid={ORDINARY.pw_uid}", f"--regid={ORDINARY.pw_gid}", "--clear-groups")
)
IS_ROOT = os.geteuid() == 0


@pytest.fixture
def user() -> User:
    """The user who runs the tests."""
    return ME


@pytest.fixture(params=["root", "ordinary"])
def each_user(request: pytest.FixtureRequest, folder: Path) -> User:
    """Root, and an ordinary user; `folder` is theirs."""
    if request.param == "root":
        if not IS_ROOT:
            pytest.skip("only root can try what root does")
        return ME
    if not IS_ROOT:
        return ME
    if subprocess.run(SOMEBODY.command(folder, "--version"), capture_output=True, check=False).returncode != 0:
        pytest.skip("daemon cannot reach this Python: run the tests as an ordinary user as well")
    os.chown(folder, SOMEBODY.uid, ORDINARY.pw_gid)
    return SOMEBODY


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account may enter, with a short path: pytest's own is closed to the account of the parts."""
    with open_folder() as made:
        yield made


@pytest.fixture
def data_dir(folder: Path) -> Path:
    """Where an instance will be; there is nothing yet."""
    return folder / "data"


@pytest.fixture(scope="session")
def originals() -> Iterator[Path]:
    """Data directories that a start has made, one for each user who asked for one."""
    with open_folder() as made:
        yield made


@pytest.fixture
def kept_dir(originals: Path, request: pytest.FixtureRequest, data_dir: Path) -> Path:
    """The data directory of an instance that has run before; it is `each_user`'s where the test asks for that."""
    user: User = request.getfixturevalue("each_user") if "each_user" in request.fixturenames else ME
    original = originals / user.name / "data"
    if not original.exists():
        original.parent.mkdir(mode=0o711)
        os.chown(original.parent, user.uid, -1)
        with user.up(original) as instance:
            instance.ready()
    subprocess.run(["cp", "-a", original, data_dir], check=True)
    for log in data_dir.glob("*.log"):
        log.unlink()
    return data_dir


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="daypass-"))
    made.chmod(0o711)
    try:
        yield made
    finally:
        shutil.rmtree(made)
