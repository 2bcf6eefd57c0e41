"""Every file that must name all services, and cannot read their list, names them all."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.embedded.dump import OWNED
from shared.messaging.names import ASKING, SERVICES

ROOT = Path(__file__).parents[2]

PLACES = {
    "deploy/postgres/roles.sql": r"\('(\w+)', 0\.\d+\)",
    "deploy/redis/limits.acl.template": r"(?m)^user (\w+) on #",
    "deploy/gateway/haproxy.cfg": r"(?m)^backend (\w+)",
    "deploy/secrets/generate": r"for service in ([\w ]+);",
    "deploy/postgres/init.sh": r"unnest\(ARRAY\[([^\]]+)\]",
}
"""How each file names the services: one by one, or all at once."""


def named(file: str, pattern: str) -> list[str]:
    found = re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"))
    return re.findall(r"\w+", " ".join(found))


@pytest.mark.parametrize("file", PLACES)
def test_a_file_of_the_deployment_names_all_services(file: str) -> None:
    assert sorted(named(file, PLACES[file])) == sorted(SERVICES)


def test_the_gateway_is_ready_when_all_services_are() -> None:
    assert sorted(named("deploy/gateway/haproxy.cfg", r"nbsrv\((\w+)\)")) == sorted(SERVICES)


def test_whoever_asks_on_the_bus_has_a_user_and_a_password() -> None:
    assert sorted(named("deploy/redis/users.acl.template", r"(?m)^user (\w+) on #")) == sorted(ASKING)
    assert sorted(named("deploy/secrets/generate", r"for user in ([\w ]+);")) == sorted(ASKING)


def test_compose_runs_all_services() -> None:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    modules = {str(one.get("command", [""])[-1]) for one in compose["services"].values()}
    networks = [one["networks"] for one in compose["services"].values() if isinstance(one.get("networks"), dict)]
    hosted = {f"services.{alias}" for named in networks for alias in named["inside"].get("aliases", ())}

    assert {f"services.{service}" for service in SERVICES} <= modules | hosted


def test_a_backup_has_the_schemas_of_all_services() -> None:
    assert tuple(OWNED) == SERVICES


def test_the_layers_of_all_services_and_wings_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    checked = {container for contract in contracts for container in contract.get("containers", ())}
    wings = {f"services.auth.{file.parent.name}" for file in (ROOT / "services" / "auth").glob("*/__init__.py")}

    assert {f"services.{service}" for service in SERVICES} | wings <= checked
