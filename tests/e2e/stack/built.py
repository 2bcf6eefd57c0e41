"""The images of container tests: built before the first test, whatever they take, and by one process at a time."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from deploy import images
from deploy.engine import need_docker, say, show, succeeds

NGINX = "daypass/nginx:1.22"
LOCK = Path(tempfile.gettempdir()) / f"daypass-images-{os.getuid()}.lock"
"""Tags are the machine's: a test run in another checkout waits too."""

_built: Mapping[str, str] | click.ClickException | None = None


def build() -> None:
    """Build all images, and show progress on stderr; a failure is kept for the tests that need them."""
    global _built  # noqa: PLW0603 pytest's hooks have no other place to leave it for fixtures
    try:
        need_docker()
        with _locked():
            image = images.prepare()
            if not succeeds("docker", "image", "inspect", NGINX):
                show("deploy/base/build", "nginx")
    except click.ClickException as failure:
        _built = failure
    else:
        _built = image | {"nginx": NGINX}


def built() -> Mapping[str, str]:
    """Return the images by part; raise why there are none."""
    if isinstance(_built, click.ClickException):
        raise _built
    assert _built is not None, 'images are built for tests that are marked `topology("compose")`'
    return _built


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    with LOCK.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process builds the images of the tests: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
