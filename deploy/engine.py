"""Docker and Compose, whichever of its two commands is installed."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]


class DeployFailed(click.ClickException):
    """What could not be done, and what to do about it, for people; exit code 1."""


def say(text: str) -> None:
    """Tell on stderr what is being done."""
    click.echo(f"daypass: {text}", err=True)


def need_docker() -> None:
    """Raise `DeployFailed` where there is no Docker that answers."""
    if shutil.which("docker") is None:
        raise DeployFailed("docker is not installed; without it, `make run` starts Daypass on embedded parts")
    if not succeeds("docker", "version"):
        raise DeployFailed("docker does not answer: is its daemon running, and may this user use it? Try: docker ps")


@functools.cache
def compose_command() -> tuple[str, ...]:
    """Return `docker compose`, or `docker-compose`."""
    if succeeds("docker", "compose", "version"):
        return ("docker", "compose")
    if shutil.which("docker-compose") is None:
        raise DeployFailed("neither `docker compose` nor `docker-compose` is installed")
    return ("docker-compose",)


def succeeds(*command: str) -> bool:
    """Run a command for its exit code alone."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0  # noqa: S603 ours


def ask(*command: str) -> str:
    """Run a command and return what it says on stdout; raises `DeployFailed` with its last words on stderr."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 ours
    if done.returncode != 0:
        raise DeployFailed(f"{' '.join(command[:4])} … failed:\n{(done.stderr or done.stdout)[-4000:].strip()}")
    return done.stdout


def show(*command: str, **environ: str) -> None:
    """Run a command whose progress, on whichever stream, is seen on stderr; raises `DeployFailed`."""
    done = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, env=os.environ | environ, check=False)  # noqa: S603 ours
    if done.returncode != 0:
        raise DeployFailed(f"{' '.join(command[:4])} … failed with exit code {done.returncode}")
