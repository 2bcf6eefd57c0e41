"""`.env` beside docker-compose.yml, which Compose reads by itself: what was chosen here holds for plain Compose too."""

import os
from pathlib import Path

from deploy.engine import ROOT

FILE = ROOT / ".env"


def setting(name: str, *, file: Path = FILE) -> str:
    """Return a variable as Compose would see it, empty where there is none: the environment goes before the file."""
    return os.environ.get(name) or _read(file).get(name, "")


def keep(name: str, value: str, *, file: Path = FILE) -> None:
    """Write a variable into the file, and leave all other lines alone."""
    if _read(file).get(name) == value:
        return
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    others = [line for line in lines if not line.startswith(f"{name}=")]
    file.write_text("\n".join([*others, f"{name}={value}", ""]), encoding="utf-8")


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
