"""Images: official ones where they can be had, else our own of `deploy/base`; and the one of the services."""

import hashlib
import shutil
import sys
import tomllib
from pathlib import Path

import msgspec

from deploy import dotenv
from deploy.engine import ROOT, DeployFailed, ask, say, show, succeeds

WHEELS = ROOT / "build" / "wheels"
REQUIREMENTS = ROOT / "requirements" / "runtime.txt"
PLATFORMS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014", "manylinux_2_5", "manylinux1")
MOUNTED = ("gateway", "postgres", "redis", "healthcheck")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Docker's names of processors, and those of wheels."""


class Part(msgspec.Struct, frozen=True):
    """A base image: the variable that chooses it, the official one, ours, and the part's name in `deploy/base`."""

    variable: str
    official: str
    own: str
    name: str


PARTS = (
    Part("DAYPASS_PYTHON_IMAGE", "python:3.11-slim", "daypass/python:3.11-slim", "python"),
    Part("DAYPASS_POSTGRES_IMAGE", "postgres:18", "daypass/postgres:18", "postgres"),
    Part("DAYPASS_REDIS_IMAGE", "redis:8", "daypass/redis:7.0", "redis"),
    Part("DAYPASS_GATEWAY_IMAGE", "haproxy:3.2", "daypass/haproxy:2.6", "gateway"),
)


def prepare() -> dict[str, str]:
    """Have all images here, and in `.env` the choice of those that are not the official ones; return all, by part."""
    # The umask of this checkout may have closed what containers, as users of their own, must read; no secret is in it.
    ask("chmod", "-R", "a+rX", *(f"deploy/{name}" for name in MOUNTED))
    chosen = {part.name: choose(part) for part in PARTS}
    fill_wheels()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    chosen["services"] = image = dotenv.setting("DAYPASS_IMAGE") or f"daypass:{project['version']}"
    say(f"image {image}")
    build(image, chosen["python"])
    return chosen


def build(image: str, base: str) -> None:
    """Build the image, and drop what its name meant before; the first stage has a name so that it stays, as a cache.

    The engine prunes for one caller at a time; what it does not drop now, the next build drops.
    """
    command = ("docker", "build", "--build-arg", f"DAYPASS_PYTHON_IMAGE={base}", "-f", "deploy/Dockerfile")
    ask(*command, "--target", "build", "-t", f"{image}-build", ".")
    ask(*command, "-t", image, ".")
    if not succeeds("docker", "image", "prune", "--force", "--filter", "label=daypass"):
        say("former images stay until the next build: Docker does not prune them now")


def choose(part: Part, *, file: Path = dotenv.FILE) -> str:
    """Return an image of this part that is here, pulled or built where there was none; `file` keeps the choice."""
    wanted = dotenv.setting(part.variable, file=file)
    if wanted and wanted != part.own:
        if not _is_here(wanted) and not _pull(wanted):
            raise DeployFailed(f"{part.variable} is {wanted}, which is neither here nor to be pulled")
        return wanted
    if not wanted and (_is_here(part.official) or _pull(part.official)):
        return _pinned(part, file)
    if not _is_here(part.own):
        show("deploy/base/build", part.name, PYTHON=sys.executable)
    dotenv.keep(part.variable, part.own, file=file)
    return part.own


def _pinned(part: Part, file: Path) -> str:
    """Return an official image by the digest of what was pulled, and keep that: a tag may mean another one tomorrow."""
    digest = ask("docker", "image", "inspect", "--format", "{{range .RepoDigests}}{{println .}}{{end}}", part.official)
    if not digest.strip():  # loaded or built here: no registry gave it
        return part.official
    image = digest.split()[0]
    dotenv.keep(part.variable, image, file=file)
    return image


def _is_here(image: str) -> bool:
    return succeeds("docker", "image", "inspect", image)


def _pull(image: str) -> bool:
    say(f"pulling {image}")
    return succeeds("timeout", "600", "docker", "pull", "-q", image)


def fill_wheels() -> None:
    """Download what requirements/runtime.txt names, for the processor that Docker runs on, unless it is here."""
    machine = MACHINES.get(ask("docker", "version", "--format", "{{.Server.Arch}}").strip(), "")
    if not machine:
        raise DeployFailed("no wheels are published for the processor that this Docker runs on")
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + machine.encode()).hexdigest()
    stamp = WHEELS / ".complete"
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return
    say("downloading wheels")
    shutil.rmtree(WHEELS, ignore_errors=True)
    WHEELS.mkdir(parents=True)
    platforms = [word for platform in PLATFORMS for word in ("--platform", f"{platform}_{machine}")]
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet")
    only = ("--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.11", *platforms)
    ask(*pip, *only, "--require-hashes", "-r", str(REQUIREMENTS), "-d", str(WHEELS))
    stamp.write_text(digest, encoding="ascii")
