"""deploy/secrets/generate, run in a folder of the test's own."""

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from shared.messaging.names import ASKING, SERVICES

ROOT = Path(__file__).parents[3]
HIDDEN_FROM_OTHERS = 0o700
READ_BY_ANY_CONTAINER = 0o444


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("secrets/generate", "redis/users.acl.template", "redis/limits.acl.template"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "deploy" / name, tmp_path / name)
    generate(tmp_path / "secrets")
    return tmp_path / "secrets"


def generate(folder: Path) -> None:
    subprocess.run([folder / "generate"], check=True)


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.name != "generate"}


def named_in_compose_file() -> set[str]:
    return set(re.findall(r"file: deploy/secrets/(\w+)", (ROOT / "docker-compose.yml").read_text()))


def test_every_secret_that_a_container_is_given_is_made(folder: Path) -> None:
    assert named_in_compose_file() <= set(files(folder))


def test_secrets_are_read_by_containers_of_any_user_and_by_nobody_else_on_the_machine(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == HIDDEN_FROM_OTHERS
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in files(folder)} == {READ_BY_ANY_CONTAINER}


def test_no_two_secrets_are_alike(folder: Path) -> None:
    random = [text for name, text in files(folder).items() if name.endswith(("_password", "_key"))]

    assert len(set(random)) == len(random)
    assert all(re.fullmatch(r"[0-9a-f]{64}\n", text) for text in random)


def test_a_second_run_changes_nothing(folder: Path) -> None:
    before = files(folder)
    generate(folder)

    assert files(folder) == before


def test_a_secret_that_is_derived_from_a_password_follows_it(folder: Path) -> None:
    before = files(folder)
    (folder / "data_redis_password").unlink()
    generate(folder)
    changed = {name for name, text in files(folder).items() if text != before[name]}

    urls = {"data_redis_url", "data_limits_redis_url"}
    assert changed == {"data_redis_password", *urls, "redis_users_acl", "limits_users_acl"}


@pytest.mark.parametrize(
    ("file", "users"),
    [("redis_users_acl", ASKING), ("limits_users_acl", SERVICES)],
)
def test_no_password_stands_in_redis_s_rules(folder: Path, file: str, users: tuple[str, ...]) -> None:
    rules = files(folder)[file]

    assert tuple(re.findall(r"^user (\w+) on #[0-9a-f]{64} ", rules, re.MULTILINE)) == users
    assert not any(text.strip() in rules for name, text in files(folder).items() if name.endswith("_redis_password"))
    assert "$" not in rules
