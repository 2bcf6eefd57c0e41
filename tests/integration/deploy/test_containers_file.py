"""docker-compose.yml agrees with the rest of the project, and with itself."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from deploy.engine import DeployFailed, compose_command
from deploy.images import PARTS
from services.embedded.postgres import SETTINGS
from tests.e2e.stack.stack import SERVICES

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text()


def test_its_image_is_the_one_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert re.findall(r"\$\{DAYPASS_IMAGE:-(.+?)\}", TEXT) == [f"daypass:{version}"]


def test_its_base_images_are_the_official_ones_unless_variables_say_otherwise() -> None:
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    named = dict(re.findall(r"\$\{(DAYPASS_\w+_IMAGE):-(.+?)\}", TEXT))
    named |= dict(re.findall(r"^ARG (DAYPASS_\w+_IMAGE)=(.+)$", dockerfile, re.MULTILINE))

    assert named == {part.variable: part.official for part in PARTS}


def test_the_compose_file_is_valid_and_hardens_every_container(tmp_path: Path) -> None:
    try:
        command = compose_command()
    except DeployFailed as failed:
        pytest.skip(str(failed))
    own = tmp_path / "docker-compose.yml"  # away from the .env of this checkout
    own.write_text(TEXT)
    config = subprocess.run([*command, "-f", own, "config"], capture_output=True, text=True, check=True)
    listed = subprocess.run([*command, "-f", own, "config", "--services"], capture_output=True, text=True, check=True)

    assert set(listed.stdout.split()) == {"gateway", "postgres", "redis", "limits", *SERVICES}
    assert config.stdout.count("read_only: true") == len(listed.stdout.split())
    assert config.stdout.count("no-new-privileges:true") == len(listed.stdout.split())
    for limit in ("mem_limit: ", "cpus: ", "pids_limit: ", "core: 0"):
        assert config.stdout.count(f" {limit}") == len(listed.stdout.split()), limit


def test_no_container_has_a_temporary_folder_without_an_end() -> None:
    folders = re.findall(r"tmpfs: \[(.+)\]", TEXT)

    assert folders
    assert all(":size=" in one for line in folders for one in line.split(","))


def test_postgresql_logs_alike_in_containers_and_in_one_process() -> None:
    logged = {name: value for name, value in SETTINGS.items() if name.startswith("log_") and name != "log_timezone"}

    assert logged
    assert all(f"{name}={value}" in TEXT for name, value in logged.items())
    for name in ("max_connections", "authentication_timeout"):
        assert f"{name}={SETTINGS[name]}" in TEXT


def test_only_the_services_are_on_the_network_of_postgresql() -> None:
    parts = dict(re.findall(r"^  ([\w-]+):\n((?:    .*\n|\n)+)", TEXT.partition("\nservices:")[2], re.MULTILINE))
    on_it = {name for name, text in parts.items() if re.search(r"networks: .*\bdatabase\b", text)}

    assert on_it == {"auth", "token", "postgres"}
    assert re.search(r"^x-data:(?:.*\n)+?  networks:\n.*\n    database: ", TEXT, re.MULTILINE)
    assert "networks: [database]" in parts["postgres"]


def test_nothing_but_the_gateway_is_published_and_that_on_this_machine_alone() -> None:
    assert re.findall(r"ports: (.+)", TEXT) == ['["127.0.0.1:${DAYPASS_PORT:-8080}:8080"]']


def test_metrics_are_served_where_the_gateway_does_not_lead() -> None:
    (port,) = re.findall(r"DAYPASS_METRICS_PORT: (\d+)", TEXT)
    gateway = "".join((ROOT / "deploy/gateway" / name).read_text() for name in ("haproxy.cfg", "routes.map"))

    assert port not in gateway
    assert "metrics" not in gateway
