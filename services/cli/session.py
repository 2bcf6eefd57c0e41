"""`daypass session`."""

from pathlib import Path

import click

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json, of_project, show_list, show_receipt
from shared.contracts.administration import ListSessions, RevokeSession

HEADINGS = {
    "id": "SESSION",
    "provider": "PROVIDER",
    "ip": "ADDRESS",
    "created_at": "CREATED",
    "expire": "EXPIRES",
}

of_user = click.option("--user", required=True, help="The user's id.")


@click.group(epilog=HELP)
def session() -> None:
    """Sessions of a user."""


@session.command("list", epilog=HELP)
@of_project
@of_user
@as_json
@click.pass_obj
def list_(given: Path | None, *, project: str, user: str, as_json: bool) -> None:
    """List the sessions of a user."""
    show_list(ask(given, ListSessions(project=project, user=user)).sessions, HEADINGS, as_json=as_json)


@session.command(epilog=HELP)
@of_project
@of_user
@click.argument("id_", metavar="[ID]", default="")
@as_json
@click.pass_obj
def revoke(given: Path | None, id_: str, *, project: str, user: str, as_json: bool) -> None:
    """Delete one session of a user, or all: no replica accepts it, or a JWT made from it, when this returns."""
    show_receipt(ask(given, RevokeSession(project=project, user=user, id=id_)).receipt, as_json=as_json)
