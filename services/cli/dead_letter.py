"""`daypass dead-letter`: what a service could not handle."""

import json
from pathlib import Path

import click
import msgspec
from tabulate import tabulate

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from shared.contracts.dead_letters import ListDeadLetters

HEADINGS = {"service": "SERVICE", "stream": "STREAM", "entry": "ENTRY", "type": "TYPE", "given_up_at": "GIVEN UP"}


@click.group("dead-letter", epilog=HELP)
def dead_letter() -> None:
    """Messages between the services that were given up after five deliveries."""


@dead_letter.command("list", epilog=HELP)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@click.pass_obj
def list_(given: Path | None, *, as_json: bool) -> None:
    """List the dead letters of all services, the newest first."""
    rows = [msgspec.to_builtins(letter) for letter in ask(given, ListDeadLetters()).dead_letters]
    if as_json:
        click.echo(json.dumps(rows))
        return
    click.echo(tabulate([{title: row[name] for name, title in HEADINGS.items()} for row in rows], headers="keys"))
