"""`.env` beside docker-compose.yml, which Compose reads by itself: what was chosen here holds for plain Compose too."""

import os

from deploy.engine import ROOT

FILE = ROOT / ".env"


def setting(name: str) -> str:
    """Return a variable as Compose would see it, empty where there is none: the environment goes before the file."""
    return os.environ.get(name) or _read().get(name, "")


def keep(name: str, value: str) -> None:
    """Write a variable into the file, and leave all other lines alone."""
    if _read().get(name) == value:
        return
    lines = FILE.read_text(encoding="utf-8").splitlines() if FILE.exists() else []
    others = [line for line in lines if not line.startswith(f"{name}=")]
    FILE.write_text("\n".join([*others, f"{name}={value}", ""]), encoding="utf-8")


def _read() -> dict[str, str]:
    if not FILE.exists():
        return {}
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
