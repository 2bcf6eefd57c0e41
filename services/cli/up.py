"""`daypass up`: the embedded instance, from start to end."""

import contextlib
import json
import logging
import os
import shlex
from pathlib import Path

import click
import uvloop

from services.cli.data_dir import data_dir_of, hint
from services.cli.detach import detach as go_on_in_background
from services.cli.exit_codes import HELP, CommandFailed, ExitCode
from services.cli.show import json_option
from services.embedded.composition import Instance, open_instance
from services.embedded.errors import PartFailed, StartRefused
from services.embedded.lifecycle import run_until_ended
from shared.kernel.cores import forbid_core_dumps
from shared.kernel.errors import Refusal
from shared.kernel.settings import SettingsError
from shared.postgres.errors import DATABASE_ERRORS
from shared.postgres.migrations import MigrationError
from shared.process.run import log_as_json

IGNORED = {
    "DAYPASS_HOST": "use --host",
    "DAYPASS_PORT": "use --port",
    "DAYPASS_MASTER_KEY": "it keeps its own in secrets.json of the data directory",
    "DAYPASS_COLUMN_KEY": "it keeps its own in secrets.json of the data directory",
    "DAYPASS_DATABASE_URL": "it starts its own PostgreSQL",
    "DAYPASS_REDIS_URL": "it starts its own Valkey",
    "DAYPASS_INVITATIONS_DIR": "it uses the folder invitations of the data directory",
}
"""The settings of the services that this command sets itself, and what to do instead."""


@click.command(epilog=HELP)
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="The same as before the subcommand.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="0 for any free port.  [default: 8080, or the next free port]"
)
@json_option("Print one line of JSON on stdout when ready, and nothing else.")
@click.option(
    "--restored", is_flag=True, help="Treat the data as an older copy: end all sessions, replace all signing keys."
)
@click.option("--detach", is_flag=True, help="Return when ready, and run in the background.")
@click.pass_obj
def up(
    path: Path | None,
    *,
    data_dir: Path | None,
    host: str,
    port: int | None,
    as_json: bool,
    restored: bool,
    detach: bool,
) -> None:
    """Start PostgreSQL, Valkey and the services, and serve until stopped.

    Ctrl-C, SIGTERM, SIGHUP and `daypass down` stop it. The first start creates the data directory, a project and a key.
    """
    forbid_core_dumps()
    log_as_json(logging.INFO if detach else logging.WARNING)
    for name, instead in IGNORED.items():
        if name in os.environ or f"{name}_FILE" in os.environ:
            say(f"{name} is ignored by `daypass up`: {instead}")
    directory = data_dir_of(data_dir or path)
    release = go_on_in_background() if detach else None

    def ready(instance: Instance) -> None:
        click.echo(_as_json(instance) if as_json else _in_words(instance, detached=detach))
        if release is not None:
            release(directory.log)

    opening = open_instance(directory.path, host=host, port=port, is_restored=restored, say=say)
    try:
        uvloop.run(run_until_ended(opening, ready=ready))
    except StartRefused as error:
        raise CommandFailed(str(error), ExitCode.REFUSED) from error
    except OSError as error:
        raise CommandFailed(f"{error.filename or directory.path}: {error.strerror or 'no answer in time'}") from error
    except (PartFailed, SettingsError, MigrationError, Refusal, *DATABASE_ERRORS) as error:
        raise CommandFailed(str(error)) from error
    say("stopped")


def say(text: str) -> None:
    """Write to stderr what is being done."""
    with contextlib.suppress(OSError):  # its reader may have gone, and the terminal too
        click.echo(f"daypass: {text}", err=True)


def _as_json(instance: Instance) -> str:
    facts = {
        "endpoint": instance.endpoint,
        "project": instance.credentials.project,
        "key": instance.credentials.key.reveal(),
        "pid": instance.pid,
    }
    return json.dumps(facts)


def _in_words(instance: Instance, *, detached: bool) -> str:
    file = instance.data_dir.credentials
    key = instance.credentials.key.reveal() if instance.is_first_start else f"in {file}"
    end = hint(instance.data_dir, "down") if detached else "Ctrl-C"
    return f"""\
Daypass is ready; stop it with {end}.

  endpoint  {instance.endpoint}
  project   {instance.credentials.project}
  key       {key}

Try it, in another terminal:

  set -a; . {shlex.quote(str(file))}; set +a
  .venv/bin/python docs/examples/birthdays.py
  curl -H "X-Appwrite-Project: $DAYPASS_PROJECT" -H "X-Appwrite-Key: $DAYPASS_KEY" "$DAYPASS_ENDPOINT/users"
"""
