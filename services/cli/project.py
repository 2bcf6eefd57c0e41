"""`daypass project`."""

from pathlib import Path
from typing import Any

import click

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json, show_list, show_one, show_receipt
from shared.contracts.administration import CreateProject, DeleteProject, ListProjects, ShowProject, UpdateProject
from shared.contracts.ids import ProjectId

HEADINGS = {"id": "PROJECT", "name": "NAME", "origins": "ORIGINS", "incarnation": "INCARNATION"}
SWITCHES = {
    "session_duration_s": "SESSION DURATION",
    "session_limit": "SESSION LIMIT",
    "session_idle_s": "SESSION IDLE (0: NEVER)",
    "recent_sign_in_s": "RECENT SIGN-IN (0: ALWAYS)",
    "session_invalidation": "SESSION INVALIDATION",
    "user_limit": "USER LIMIT (0: NONE)",
    "disabled_auth_methods": "DISABLED METHODS",
    "shown_membership_fields": "VISIBLE MEMBER FIELDS",
}

ORIGIN_HELP = (
    "A host whose pages may call the API and to which links may lead; a URL stands for its host. *.example.com stands"
    " for all hosts of a domain, shop-app:// for the scheme of an app. Repeat for more."
)


@click.group(epilog=HELP)
def project() -> None:
    """Manage projects; each has its own users, keys and databases."""


@project.command(epilog=HELP)
@click.argument("id_", metavar="ID")
@click.option("--name", help="[default: the id]")
@click.option("--origin", "origins", multiple=True, help=ORIGIN_HELP + "  [default: localhost]")
@as_json
@click.pass_obj
def create(data_dir: Path | None, id_: ProjectId, *, name: str | None, origins: tuple[str, ...], as_json: bool) -> None:
    """Create a project. It is known on every replica when the command returns."""
    request = CreateProject(id=id_, name=name or id_, origins=origins or ("localhost",))
    show_one("project", ask(data_dir, request).projects[0], HEADINGS, as_json=as_json)


@project.command("list", epilog=HELP)
@as_json
@click.pass_obj
def list_(data_dir: Path | None, *, as_json: bool) -> None:
    """List all projects."""
    show_list(ask(data_dir, ListProjects()).projects, HEADINGS, as_json=as_json)


@project.command(epilog=HELP)
@click.argument("id_", metavar="ID")
@as_json
@click.pass_obj
def show(data_dir: Path | None, id_: ProjectId, *, as_json: bool) -> None:
    """Show a project with its settings."""
    show_one("project", ask(data_dir, ShowProject(id=id_)).projects[0], HEADINGS | SWITCHES, as_json=as_json)


@project.command(epilog=HELP)
@click.argument("id_", metavar="ID")
@click.option("--name", help="The new name.")
@click.option("--origin", "origins", multiple=True, help=ORIGIN_HELP + " Replaces all that there are.")
@click.option("--add-origin", "added_origins", multiple=True, help="An origin to add to those that there are.")
@click.option("--remove-origin", "removed_origins", multiple=True, help="An origin to remove; the others stay.")
@click.option("--session-duration", "session_duration_s", type=int, help="The lifetime of new sessions, in seconds.")
@click.option("--session-limit", type=int, help="Sessions per user; a sign-in beyond it ends the oldest.")
@click.option("--session-idle", "session_idle_s", type=int, help="Seconds until an unused session ends; 0 for never.")
@click.option(
    "--recent-sign-in",
    "recent_sign_in_s",
    type=int,
    help="Seconds after the sign-in during which users may delete or block their own account; 0 for always.",
)
@click.option(
    "--session-invalidation/--no-session-invalidation",
    default=None,
    help="Whether a new password or address ends the user's other sessions.",
)
@click.option("--user-limit", type=int, help="Users that the project may have; 0 for no limit.")
@click.option("--enable", multiple=True, metavar="METHOD", help="Enable an auth method, such as email-password.")
@click.option("--disable", multiple=True, metavar="METHOD", help="Disable an auth method.")
@click.option(
    "--show", multiple=True, metavar="FIELD", help="Show this field of members to one another, such as userName."
)
@click.option("--hide", multiple=True, metavar="FIELD", help="Hide this field of members from one another.")
@as_json
@click.pass_obj
def update(
    data_dir: Path | None,
    /,
    id_: ProjectId,
    *,
    origins: tuple[str, ...],
    enable: tuple[str, ...],
    disable: tuple[str, ...],
    show: tuple[str, ...],
    hide: tuple[str, ...],
    as_json: bool,
    **changes: Any,  # Any: what click parsed, under the names that the request has
) -> None:
    """Change a project. The change is in force on every replica when the command returns; other settings stay."""
    request = UpdateProject(
        id=id_,
        origins=origins or None,
        auth_methods=dict.fromkeys(enable, True) | dict.fromkeys(disable, False),
        membership_fields=dict.fromkeys(show, True) | dict.fromkeys(hide, False),
        **changes,
    )
    show_one("project", ask(data_dir, request).projects[0], HEADINGS | SWITCHES, as_json=as_json)


@project.command(epilog=HELP)
@click.argument("id_", metavar="ID")
@click.option("--yes", is_flag=True, help="Don't ask for confirmation.")
@as_json
@click.pass_obj
def delete(data_dir: Path | None, id_: ProjectId, *, yes: bool, as_json: bool) -> None:
    """Delete a project with its users, keys and databases. It is gone on every replica when the command returns."""
    if not yes:
        click.confirm(f"Delete project {id_} and everything in it?", abort=True)
    show_receipt(ask(data_dir, DeleteProject(id=id_)).receipt, as_json=as_json)
