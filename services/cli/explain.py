"""`daypass explain`: why somebody may do something with a row, or may not."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec
from tabulate import tabulate

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json, of_project
from shared.contracts.explanations import ExplainedAction, ExplainRow, Explanation

HEADINGS = ("ACTION", "ALLOWED", "BECAUSE")


@click.command(epilog=HELP)
@of_project
@click.argument("database")
@click.argument("table")
@click.argument("row", default="")
@click.option("--user", "user_id", default="", help="The user's id.  [default: a guest]")
@as_json
@click.pass_obj
def explain(
    data_dir: Path | None,
    /,
    *,
    as_json: bool,
    **question: Any,  # Any: what click parsed, under the names that the request has
) -> None:
    """Explain what a user may do with a row: which permissions grant it, or which roles would be enough.

    Without ROW: what the table's own permissions grant.
    """
    explanation = ask(data_dir, ExplainRow(**question))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(explanation)))
        return
    who = f"user {explanation.user}" if explanation.user else "a guest"
    click.echo(f"{who} holds {_listed(explanation.roles)}")
    click.echo(f"row security is {'on' if explanation.row_security else 'off'}")
    if explanation.refusal:
        click.echo(f"every request is refused: {explanation.refusal}")
    rows = [
        (action.action, "yes" if action.allowed else "no", _because(explanation, action))
        for action in explanation.actions
    ]
    click.echo(tabulate(rows, headers=HEADINGS))


def _because(explanation: Explanation, action: ExplainedAction) -> str:
    if action.grants:
        granted = _listed(f"{grant.permission} of the {grant.of}" for grant in action.grants)
        return f"{explanation.refusal}, despite {granted}" if explanation.refusal else granted
    one_of = "one of " if len(action.needs) > 1 else ""
    needs = f"needs {one_of}{_listed(action.needs)}" if action.needs else "granted to nobody"
    if action.ignored:
        needs += f"; row security is off, so {_listed(action.ignored)} of the row does not count"
    return needs


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)
