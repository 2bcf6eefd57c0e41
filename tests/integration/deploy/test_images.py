"""Which images `make up` takes, with a stand-in for the program `docker`."""

from pathlib import Path

import pytest

from deploy import images
from deploy.images import PARTS

PART = next(part for part in PARTS if part.name == "postgres")
DIGEST = f"postgres@sha256:{'0123456789abcdef' * 4}"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that keeps what was chosen; nothing is chosen yet."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv(PART.variable, raising=False)
    return tmp_path / ".env"


def install_docker(folder: Path, digests: str) -> None:
    install(folder, f"printf '{digests}'")


def install(folder: Path, script: str) -> None:
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_a_pulled_image_is_kept_by_its_digest(file: Path) -> None:
    install_docker(file.parent, f"{DIGEST}\\n")

    assert images.choose(PART, file=file) == DIGEST
    assert file.read_text() == f"{PART.variable}={DIGEST}\n"
    assert images.choose(PART, file=file) == DIGEST


def test_an_image_that_no_registry_gave_keeps_its_tag(file: Path) -> None:
    install_docker(file.parent, "")

    assert images.choose(PART, file=file) == PART.official
    assert not file.exists()


def test_an_image_is_built_while_somebody_else_prunes(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    install(file.parent, '[ "$2" != prune ] || exit 1')

    images.build("daypass:test", "python")

    assert "former images stay until the next build" in capfd.readouterr().err
