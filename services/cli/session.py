"""`daypass session`."""

from pathlib import Path

import click

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json, of_project, show_list, show_receipt
from shared.contracts.administration import ListSessions, RevokeAllSessions, RevokeSession
from shared.contracts.ids import ProjectId, SessionId, UserId

HEADINGS = {
    "id": "SESSION",
    "provider": "PROVIDER",
    "ip": "ADDRESS",
    "created_at": "CREATED",
    "expire": "EXPIRES",
}

of_user = click.option("--user", "user_id", required=True, help="The user's id.")


@click.group(epilog=HELP)
def session() -> None:
    """Manage the sessions of users."""


@session.command("list", epilog=HELP)
@of_project
@of_user
@as_json
@click.pass_obj
def list_(data_dir: Path | None, *, project_id: ProjectId, user_id: UserId, as_json: bool) -> None:
    """List the sessions of a user."""
    show_list(ask(data_dir, ListSessions(project_id=project_id, user_id=user_id)).sessions, HEADINGS, as_json=as_json)


@session.command(epilog=HELP)
@of_project
@click.option("--user", "user_id", default="", help="The user's id.")
@click.option("--all", "of_all", is_flag=True, help="Delete the sessions of all users of the project.")
@click.argument("id_", metavar="[ID]", default="")
@as_json
@click.pass_obj
def revoke(
    data_dir: Path | None, id_: SessionId, *, project_id: ProjectId, user_id: UserId, of_all: bool, as_json: bool
) -> None:
    """Delete one session of a user, all sessions of a user, or all of a project.

    When this returns no replica accepts them, nor a JWT made from them. With all sessions end login tokens, invitations
    and JWTs without a session, too.
    """
    if of_all == bool(user_id) or (of_all and id_):
        raise click.UsageError("Name a user with --user, with or without the ID of a session, or use --all.")
    request = (
        RevokeAllSessions(project_id=project_id)
        if of_all
        else RevokeSession(project_id=project_id, user_id=user_id, id=id_)
    )
    show_receipt(ask(data_dir, request).receipt, as_json=as_json)
