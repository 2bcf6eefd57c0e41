"""`make up`, `make backup` and `make restore` as they are: the compose file, in a clone of this checkout."""

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.engine import compose_command, succeeds
from deploy.images import PARTS
from tests.e2e.instance import Instance
from tests.e2e.processes import free_port
from tests.e2e.programs import EXPECTED, run
from tests.e2e.stack.built import built
from tests.e2e.stack.containers import need_docker
from tests.eventually import eventually
from tests.integration.embedded.callers import Caller, fill, read
from tests.integration.embedded.conftest import ME, open_folder

pytestmark = pytest.mark.topology("compose")

ROOT = Path(__file__).parents[2]
ADA = {"email": "ada@example.org", "password": "correct horse"}
PSQL = ("psql", "-XqAt", "-h", "/var/run/postgresql", "-U", "postgres", "-d", "daypass")


@dataclass(frozen=True)
class Deployment:
    """A clone, and what decides which containers are its own."""

    clone: Path
    environ: dict[str, str]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Call `python -m deploy`, and return at once; both streams are pipes."""
        command = [sys.executable, "-m", "deploy", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.clone, env=self.environ, stdout=pipe, stderr=pipe, text=True)

    def call(self, *arguments: str) -> tuple[int, str, str]:
        """Call `python -m deploy` to its end; return exit code, stdout and stderr."""
        with self.start(*arguments) as process:
            said, told = process.communicate()
        return process.returncode, said, told

    def deploy(self, *arguments: str) -> str:
        """Return what a call says that must succeed."""
        code, said, told = self.call(*arguments)
        assert code == 0, told
        return said

    def psql(self) -> tuple[str, ...]:
        """Return the command that opens psql in PostgreSQL's container."""
        asked = [*compose_command(), "ps", "-q", "postgres"]
        found = subprocess.run(asked, cwd=self.clone, env=self.environ, check=True, capture_output=True, text=True)
        return ("docker", "exec", "-i", found.stdout.strip(), *PSQL)

    def sql(self, statement: str) -> str:
        """Return the first value of a statement."""
        command = [*self.psql(), "-c", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A clone of what was committed, whose containers are removed in the end with their data.

    Its image has a name of its own, so that other tests go on with theirs; the base images and wheels are here already.
    """
    need_docker()
    clone = tmp_path_factory.mktemp("clone") / "daypass"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", ROOT.as_uri(), clone], check=True)
    image = built()
    shutil.copytree(ROOT / "build" / "wheels", clone / "build" / "wheels")
    own = f"daypass-test:{os.getpid()}"
    environ = os.environ | {
        **{part.variable: image[part.name] for part in PARTS},
        "DAYPASS_IMAGE": own,
        "PYTHONPATH": str(clone),
        "COMPOSE_PROJECT_NAME": f"daypass-test-{os.getpid()}",
        "DAYPASS_PORT": str(free_port()),
    }
    made = Deployment(clone, environ)
    try:
        yield made
    finally:
        made.deploy("down", "--volumes")
        succeeds("docker", "image", "rm", own, f"{own}-build")
        shutil.rmtree(clone, ignore_errors=True)


@pytest.fixture(scope="module")
def compose_file(deployment: Deployment) -> Instance:
    """What `make up ARGS=--json` starts and prints."""
    said = json.loads(deployment.deploy("up", "--json"))
    assert json.loads(deployment.deploy("up", "--json")) == said, "a second start says the same"
    return Instance(topology="compose", endpoint=said["endpoint"], project=said["project"], key=said["key"])


@pytest.fixture(scope="module")
def key(compose_file: Instance) -> Caller:
    """Calls by the first key, once there are a table with a row and a user."""
    made = Caller.of({"endpoint": compose_file.endpoint, "project": compose_file.project, "key": compose_file.key})
    fill(made)
    assert made.status("POST", "/users", userId="ada", **ADA) == 201
    return made


@pytest.fixture(scope="module")
def archive(deployment: Deployment, key: Caller) -> Iterator[Path]:
    """A backup in which the row says `kept`."""
    with open_folder() as folder:
        assert read(key) == "kept"
        deployment.deploy("backup", str(folder / "backup.tar"))
        yield folder / "backup.tar"


def test_the_example_runs_on_the_compose_file(compose_file: Instance) -> None:
    assert run(f"{sys.executable} docs/examples/birthdays.py", compose_file) == EXPECTED[0]


def test_a_restore_of_the_containers_brings_the_rows_back_and_no_session(
    deployment: Deployment, key: Caller, archive: Path
) -> None:
    session = key.by(X_Appwrite_Session=key.call("POST", "/users/ada/sessions")[1]["secret"])
    _, login_token = key.call("POST", "/users/ada/tokens", expire=86_400)
    file = archive.with_name("with-session.tar")
    deployment.deploy("backup", str(file))
    key.call("PATCH", "/tablesdb/crm/tables/notes/rows/one", data={"text": "later"})
    with deployment.start("restore", str(file), "--yes") as killed:
        assert killed.stderr is not None
        assert any("restoring the database" in line for line in killed.stderr)
        killed.send_signal(signal.SIGKILL)
    with subprocess.Popen(deployment.psql(), stdin=subprocess.PIPE):  # a session in the database cannot be passed over
        code, _, told = deployment.call("restore", str(file), "--yes")
    deployment.deploy("up")

    assert code == 1
    assert "other users" in told
    assert "nothing was changed: starting the services again" in told
    assert read(key) == "later", "neither a restore that was killed nor one that failed has changed anything"
    assert session.status("GET", "/account") == 200

    code, said, told = deployment.call("restore", str(file), "--yes")

    assert code == 0, told
    assert "must sign in again" in said
    assert read(key) == "kept"
    assert session.status("GET", "/account") == 401
    assert key.by().status("POST", "/account/sessions/token", userId="ada", secret=login_token["secret"]) == 401
    assert key.by().status("POST", "/account/sessions/email", **ADA) == 201
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = deployment.sql("SELECT datname FROM pg_database WHERE NOT datallowconn AND datname LIKE 'daypass%'")
    assert kept.startswith("daypass_replaced_")
    assert kept in said


def test_a_backup_is_restored_from_containers_into_one_process_and_back(
    deployment: Deployment, key: Caller, archive: Path
) -> None:
    target, back = archive.with_name("embedded"), archive.with_name("back.tar")
    restored = ME.run(target, "restore", str(archive))
    assert restored.returncode == 0, restored.stderr
    with ME.up(target) as instance:
        embedded = Caller.of(instance.ready())
        assert read(Caller(embedded.endpoint, key.headers)) == "kept"
        assert embedded.status("PATCH", "/tablesdb/crm/tables/notes/rows/one", data={"text": "moved"}) == 200
        assert ME.run(target, "backup", str(back)).returncode == 0
    deployment.deploy("restore", str(back), "--yes")

    assert read(key) == "moved"


def test_an_unclear_restore_is_refused_while_the_services_go_on(
    deployment: Deployment, key: Caller, archive: Path
) -> None:
    damaged = archive.with_name("damaged.tar")
    whole = archive.read_bytes()
    damaged.write_bytes(whole[:20_000] + bytes([whole[20_000] ^ 1]) + whole[20_001:])
    before = read(key)
    code, _, told = deployment.call("restore", str(damaged), "--yes")
    with_a_yes_missing = deployment.call("restore", str(archive))

    assert (code, with_a_yes_missing[0]) == (1, 1)
    assert "is damaged" in told
    assert "Replace all data" in with_a_yes_missing[2]
    assert "stopping the services" not in told + with_a_yes_missing[2]
    assert read(key) == before


def test_a_backup_whose_caller_is_gone_lets_go_of_what_it_locked(
    deployment: Deployment, key: Caller, archive: Path
) -> None:
    def under_way() -> str:
        return deployment.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_dump'")

    unmade = archive.with_name("unmade.tar")
    pipe = subprocess.PIPE
    with subprocess.Popen(deployment.psql(), stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdin is not None
        other.stdin.write("BEGIN; LOCK TABLE auth.users IN ACCESS EXCLUSIVE MODE;\n")
        other.stdin.flush()
        with deployment.start("backup", str(unmade)) as backup:
            asyncio.run(eventually(under_way, "1"))
            backup.send_signal(signal.SIGKILL)
        asyncio.run(eventually(under_way, "0"))
        said, _ = other.communicate("SELECT 'PostgreSQL went on'; COMMIT;\n")

    assert said == "PostgreSQL went on\n"
    assert not unmade.exists()
    assert read(key)
