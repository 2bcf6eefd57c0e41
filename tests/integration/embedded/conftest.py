import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.embedded.daypass import User

ME = User(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid())
NOBODY = pwd.getpwnam("nobody")
SOMEBODY = User(
    "nobody", NOBODY.pw_uid, ("setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups")
)
IS_ROOT = os.geteuid() == 0


@pytest.fixture
def user() -> User:
    """Whoever runs the tests."""
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
    os.chown(folder, SOMEBODY.uid, NOBODY.pw_gid)
    return SOMEBODY


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account may enter, with a short path: pytest's own is closed to the account of the parts."""
    made = Path(tempfile.mkdtemp(prefix="daypass-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def data_dir(folder: Path) -> Path:
    """Where an instance will be; there is nothing yet."""
    return folder / "data"
