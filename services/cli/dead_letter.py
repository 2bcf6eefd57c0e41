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
    """Messages between the services that were given up."""


@dead_letter.command("list", epilog=HELP)
@as_json
@click.pass_obj
def list_(given: Path | None, *, as_json: bool) -> None:
    """List the dead letters of all services, the newest first."""
    show_list(ask(given, ListDeadLetters()).dead_letters, HEADINGS, as_json=as_json)


@dead_letter.command("retry", epilog=HELP)
@click.option("--service", default="", help="Only what this service gave up.")
@click.option("--entry", default="", help="Only the entry of this id, as `list` shows it.")
@as_json
@click.pass_obj
def retry(given: Path | None, *, service: str, entry: str, as_json: bool) -> None:
    """Let dead letters be handled once more, and show them; what fails again comes back."""
    retried = ask(given, RetryDeadLetters(service=service, entry=entry)).dead_letters
    show_list(retried, HEADINGS, as_json=as_json)
