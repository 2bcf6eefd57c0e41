"""`daypass dead-letter`: what a service could not handle."""

from pathlib import Path

import click

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json, show_list
from shared.contracts.dead_letters import ListDeadLetters, RetryDeadLetters

HEADINGS = {"service": "SERVICE", "stream": "STREAM", "entry": "ENTRY", "type": "TYPE", "given_up_at": "GIVEN UP"}


@click.group("dead-letter", epilog=HELP)
def dead_letter() -> None:
    """Manage messages between the services that were abandoned."""


@dead_letter.command("list", epilog=HELP)
@as_json
@click.pass_obj
def list_(data_dir: Path | None, *, as_json: bool) -> None:
    """List the dead letters of all services, the newest first."""
    show_list(ask(data_dir, ListDeadLetters()).dead_letters, HEADINGS, as_json=as_json)


@dead_letter.command("retry", epilog=HELP)
@click.option("--service", default="", help="Only dead letters of this service.")
@click.option("--entry", default="", help="Only the entry with this id, as `list` shows it.")
@as_json
@click.pass_obj
def retry(data_dir: Path | None, *, service: str, entry: str, as_json: bool) -> None:
    """Retry dead letters, and show them. A message that fails again becomes a dead letter again."""
    retried = ask(data_dir, RetryDeadLetters(service=service, entry=entry)).dead_letters
    show_list(retried, HEADINGS, as_json=as_json)
