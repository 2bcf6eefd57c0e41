"""What is generated is the same as what is checked in, and what is declared is whole."""

import importlib
import pkgutil
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest

import services
import shared
from deploy.gateway.generate import FILE as ROUTES
from deploy.gateway.generate import route_table
from docs import generate
from services.embedded.openapi import whole
from shared.appwrite.absent import REASONS
from shared.kernel.errors import ErrorType
from shared.web.errors import API_VERSION, ErrorBody
from shared.web.openapi import FILE
from tests.declarations import ENDPOINTS

ROOT = Path(__file__).parents[2]
GATEWAY = ROOT / "deploy" / "gateway" / "haproxy.cfg"
ENTRY_POINTS = ("services.auth", "services.token", "services.data", "services.storage")


def test_the_list_of_endpoints_is_that_of_the_declarations() -> None:
    assert generate.ENDPOINTS_FILE.read_text(encoding="utf-8") == generate.endpoint_lines(), "make generate"


def test_the_built_package_has_the_openapi_document_of_all_services(tmp_path: Path) -> None:
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-cache-dir", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", tmp_path, ROOT], check=True, timeout=120)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packaged = wheel.read(FILE.relative_to(ROOT).as_posix())

    assert packaged == whole()


def test_the_gateway_s_routes_are_those_of_the_declarations() -> None:
    assert ROUTES.read_text() == route_table(), "make generate"


def test_the_gateway_answers_with_types_of_the_table() -> None:
    written = re.findall(r"http-error status (\d+) .* lf-string '(.+?)'", GATEWAY.read_text())
    errors = [(int(status), msgspec.json.decode(body, type=ErrorBody)) for status, body in written]

    assert errors
    for status, error in errors:
        assert (error.code, error.version, error.kind in set(ErrorType)) == (status, API_VERSION, True)


def test_the_page_on_compatibility_lists_the_declarations() -> None:
    assert generate.FILE.read_text(encoding="utf-8") == generate.page(), "make generate"


def test_no_reason_is_given_for_what_is_not_missing() -> None:
    given = {generate.place(one) for endpoints in generate.absent().values() for one in endpoints}

    assert set(REASONS) - given == set()


def test_no_endpoint_is_missing_from_the_document() -> None:
    document = whole().decode()
    missing = [path for endpoint in ENDPOINTS for path in endpoint.paths if f'"{path}"' not in document]

    assert not missing


@pytest.mark.parametrize("package", [services, shared], ids=lambda package: package.__name__)
def test_every_module_can_be_imported(package: object) -> None:
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")  # type: ignore[attr-defined]
    for module in found:
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


@pytest.mark.parametrize("module", ENTRY_POINTS)
def test_a_service_without_settings_says_what_is_missing(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module], capture_output=True, text=True, cwd=ROOT, env={}, timeout=60)

    assert done.returncode == 1
    assert "DAYPASS_DATABASE_URL is not set" in done.stderr
