import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from services.embedded.account import SHARED, Account
from services.embedded.errors import StartRefused

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root chooses an account")

NOBODY = pwd.getpwnam(SHARED)


def test_an_account_of_its_own_comes_first(tmp_path: Path) -> None:
    chosen = Account.choose(kept=tmp_path / "none", dedicated=("no-such-account", "daemon", SHARED))

    assert chosen is not None
    assert chosen.name == "daemon"


@pytest.mark.parametrize("is_kept", [False, True])
def test_the_account_nobody_is_not_taken_beside_another_program(tmp_path: Path, is_kept: bool) -> None:
    kept = tmp_path / "postgres"
    if is_kept:
        kept.mkdir()
        os.chown(kept, NOBODY.pw_uid, NOBODY.pw_gid)
    with subprocess.Popen(["sleep", "5"], user=NOBODY.pw_uid) as other:
        with pytest.raises(StartRefused, match=r"so does .*sleep.*useradd .*daypass") as refused:
            Account.choose(kept=kept, dedicated=())
        other.kill()

    assert ("chown -R daypass" in str(refused.value)) is is_kept


def test_parts_of_daypass_are_no_other_program() -> None:
    ours = Account(name=SHARED, uid=4_242, gid=4_242)
    with tempfile.TemporaryDirectory() as folder:
        program = shutil.copy(Path("/bin/sleep").resolve(), Path(folder) / "valkey-server")
        Path(folder).chmod(0o755)
        with subprocess.Popen([program, "5"], user=ours.uid) as part:
            with subprocess.Popen(["sleep", "5"], user=ours.uid) as other:
                found = ours.other_processes()
                other.kill()
            part.kill()

    assert found == ["sleep"]
