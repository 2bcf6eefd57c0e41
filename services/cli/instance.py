"""`daypass status`, `down` and `reset`: the embedded instance of a data directory."""

import asyncio
import contextlib
import json
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import click

from services.cli.data_dir import data_dir_of, hint
from services.cli.exit_codes import HELP, CommandFailed, ExitCode
from services.cli.requester import ask_url
from services.cli.show import as_json
from services.embedded.datadir import DataDir, erase, holder
from services.embedded.errors import StartRefused
from services.embedded.foreign_process import hold
from services.embedded.lineage import forget
from services.embedded.run_file import Running, find_running
from shared.contracts.signing_keys import ListSigningKeys

STOP_PATIENCE_S = 60.0
READY = "ready"
READY_TIMEOUT_S = 5.0


@click.command(epilog=HELP)
@as_json
@click.pass_obj
def status(path: Path | None, *, as_json: bool) -> None:
    """Show whether an instance runs, its endpoint, and whether it is ready."""
    data_dir = data_dir_of(path)
    with _failures(data_dir):
        pid, running = holder(data_dir), find_running(data_dir)
    if pid is None:
        raise _nothing_runs(data_dir)
    state = _state(running)
    endpoint = running.endpoint if running else None
    issuer = ask_url(running.redis_url, ListSigningKeys()).issuer if running and state == READY else None
    if as_json:
        facts = {"state": state, "endpoint": endpoint, "pid": pid, "data_dir": str(data_dir.path), "issuer": issuer}
        click.echo(json.dumps(facts))
        return
    click.echo(f"Daypass is {state}: {endpoint or 'no endpoint yet'}, process {pid}, data directory {data_dir.path}")
    if issuer:
        click.echo(f"Its JWTs have the issuer (iss) {issuer}")


@click.command(epilog=HELP)
@click.pass_obj
def down(path: Path | None) -> None:
    """Stop the running instance, and wait until it has stopped."""
    data_dir = data_dir_of(path)
    with _failures(data_dir):
        pid = holder(data_dir)
        if pid is None:
            raise _nothing_runs(data_dir)
        has_ended = asyncio.run(_end(pid))
    if not has_ended:
        raise CommandFailed(f"process {pid} has not stopped within {STOP_PATIENCE_S:.0f} s")
    click.echo(f"Daypass on {data_dir.path} has stopped; its data stays")


@click.command(epilog=HELP)
@click.option("--yes", is_flag=True, help="Don't ask for confirmation.")
@click.pass_obj
def reset(path: Path | None, *, yes: bool) -> None:
    """Delete all data of an instance: projects, users, tables, keys. Asks first."""
    data_dir = data_dir_of(path)
    with _failures(data_dir):
        if (pid := holder(data_dir)) is not None:
            raise CommandFailed(
                f"Daypass runs on {data_dir.path} (process {pid}); stop it with: {hint(data_dir, 'down')}",
                ExitCode.REFUSED,
            )
        if not data_dir.path.exists():
            raise CommandFailed(f"There is no {data_dir.path}: nothing to delete", ExitCode.REFUSED)
        if not yes:
            click.confirm(f"Delete everything in {data_dir.path}?", abort=True)
        erase(data_dir)
        forget(data_dir)
    click.echo(f"All data in {data_dir.path} has been deleted")


async def _end(pid: int) -> bool:
    with hold(pid) as process:
        if process is None:
            return True
        process.send(signal.SIGTERM)
        return await process.ended(STOP_PATIENCE_S)


def _state(running: Running | None) -> str:
    """Ask the instance itself: `ready`, `starting` or, where it has been, `not ready`."""
    if running is None:
        return "starting"
    try:
        with urllib.request.urlopen(running.endpoint.removesuffix("/v1") + "/readyz", timeout=READY_TIMEOUT_S):  # noqa: S310 always http
            return READY
    except (OSError, urllib.error.URLError):
        return "not ready"


def _nothing_runs(data_dir: DataDir) -> CommandFailed:
    return CommandFailed(
        f"Daypass is not running on {data_dir.path}; start it with: {hint(data_dir, 'up')}", ExitCode.NOT_RUNNING
    )


@contextlib.contextmanager
def _failures(data_dir: DataDir) -> Iterator[None]:
    try:
        yield
    except StartRefused as error:
        raise CommandFailed(str(error), ExitCode.REFUSED) from error
    except OSError as error:
        raise CommandFailed(f"{error.filename or data_dir.path}: {error.strerror}") from error
