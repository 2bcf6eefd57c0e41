"""`daypass user`."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from services.cli.exit_codes import HELP, CommandFailed, ExitCode
from services.cli.requester import as_failure, ask
from services.cli.show import as_json, of_project, show_list, show_one, show_receipt
from shared.contracts.administration import (
    CreateUser,
    DeleteUser,
    ListUsers,
    SetUserPassword,
    SetUserStatus,
    ShowUser,
    UpdateUser,
)
from shared.contracts.ids import ProjectId, UserId
from shared.contracts.passwords import check_password, new_hasher
from shared.kernel.errors import ArgumentInvalid
from shared.kernel.ids import UNIQUE, chosen_id
from shared.kernel.settings import SettingsError, read_settings

HEADINGS = {"id": "USER", "name": "NAME", "email": "E-MAIL", "status": "ENABLED", "created_at": "CREATED"}
DETAILS = HEADINGS | {
    "email_verified": "E-MAIL VERIFIED",
    "phone": "PHONE",
    "phone_verified": "PHONE VERIFIED",
    "labels": "LABELS",
}


@click.group(epilog=HELP)
def user() -> None:
    """Manage the users of a project."""


@user.command(epilog=HELP)
@of_project
@click.option("--id", "id_", default=UNIQUE, help="[default: a new id]")
@click.option("--email", default="", help="The e-mail address to sign in with.")
@click.option("--name", default="", help="The user's name.")
@click.option("--password", envvar="DAYPASS_PASSWORD", help="At least 8 characters.")
@as_json
@click.pass_obj
def create(
    data_dir: Path | None,
    /,
    *,
    id_: UserId,
    password: str | None,
    as_json: bool,
    **fields: Any,  # Any: what click parsed, under the names that the request has
) -> None:
    """Create a user. Pass the password in DAYPASS_PASSWORD if others can see your command lines."""
    request = CreateUser(id=chosen_id(id_), password_hash="" if password is None else _hash(password), **fields)
    show_one("user", ask(data_dir, request).users[0], HEADINGS, as_json=as_json)


@user.command("list", epilog=HELP)
@of_project
@click.option("--search", default="", help="Part of the id, name, e-mail address or phone number.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 5000))
@as_json
@click.pass_obj
def list_(data_dir: Path | None, *, project_id: ProjectId, search: str, limit: int, as_json: bool) -> None:
    """List users, the oldest first."""
    request = ListUsers(project_id=project_id, search=search, limit=limit)
    show_list(ask(data_dir, request).users, HEADINGS, as_json=as_json)


@user.command(epilog=HELP)
@of_project
@click.argument("id_", metavar="ID")
@as_json
@click.pass_obj
def show(data_dir: Path | None, id_: UserId, *, project_id: ProjectId, as_json: bool) -> None:
    """Show a user."""
    record = ask(data_dir, ShowUser(project_id=project_id, id=id_)).users[0]
    show_one("user", record, DETAILS, as_json=as_json)


@user.command(epilog=HELP)
@of_project
@click.argument("id_", metavar="ID")
@click.option("--name", help="The new name.")
@click.option("--email", help="The new e-mail address, not verified yet; empty for none.")
@click.option("--phone", help="The new phone number, such as +14155550100, not verified yet; empty for none.")
@click.option(
    "--label", "labels", multiple=True, help="A label of the new set, which replaces the old one; repeatable."
)
@click.option("--no-labels", is_flag=True, help="Remove all labels.")
@click.option("--email-verified/--email-unverified", default=None, help="Whether the e-mail address is verified.")
@click.option("--phone-verified/--phone-unverified", default=None, help="Whether the phone number is verified.")
@as_json
@click.pass_obj
def update(
    data_dir: Path | None,
    /,
    id_: UserId,
    *,
    labels: tuple[str, ...],
    no_labels: bool,
    as_json: bool,
    **changes: Any,  # Any: what click parsed, under the names that the request has
) -> None:
    """Change a user. The change is in force on every replica when the command returns; other fields stay.

    Whoever loses an address or a number is signed out everywhere, unless the project keeps sessions.
    """
    if labels and no_labels:
        raise click.UsageError("Use either --label or --no-labels.")
    request = UpdateUser(id=id_, labels=labels or (() if no_labels else None), **changes)
    show_one("user", ask(data_dir, request).users[0], DETAILS, as_json=as_json)


@user.command(epilog=HELP)
@of_project
@click.argument("id_", metavar="ID")
@click.option(
    "--password",
    envvar="DAYPASS_PASSWORD",
    prompt=True,
    hide_input=True,
    confirmation_prompt=True,
    help="At least 8 characters.  [default: DAYPASS_PASSWORD, or asked for]",
)
@as_json
@click.pass_obj
def password(data_dir: Path | None, id_: UserId, *, project_id: ProjectId, password: str, as_json: bool) -> None:
    """Set a user's password, and end all of the user's sessions, unless the project keeps them.

    Pass the password in DAYPASS_PASSWORD if others can see your command lines.
    """
    request = SetUserPassword(project_id=project_id, id=id_, password_hash=_hash(password))
    show_receipt(ask(data_dir, request).receipt, as_json=as_json)


@user.command(epilog=HELP)
@of_project
@click.argument("id_", metavar="ID")
@as_json
@click.pass_obj
def block(data_dir: Path | None, id_: UserId, *, project_id: ProjectId, as_json: bool) -> None:
    """Block a user. All sessions, JWTs, login tokens and invitations have ended when the command returns."""
    _set_status(data_dir, project_id, id_, enabled=False, as_json=as_json)


@user.command(epilog=HELP)
@of_project
@click.argument("id_", metavar="ID")
@as_json
@click.pass_obj
def unblock(data_dir: Path | None, id_: UserId, *, project_id: ProjectId, as_json: bool) -> None:
    """Unblock a user, so that they can sign in again."""
    _set_status(data_dir, project_id, id_, enabled=True, as_json=as_json)


@user.command(epilog=HELP)
@of_project
@click.argument("id_", metavar="ID")
@click.option("--yes", is_flag=True, help="Don't ask for confirmation.")
@as_json
@click.pass_obj
def delete(data_dir: Path | None, id_: UserId, *, project_id: ProjectId, yes: bool, as_json: bool) -> None:
    """Delete a user. All sessions, JWTs, login tokens and invitations have ended when the command returns."""
    if not yes:
        click.confirm(f"Delete user {id_} of project {project_id}?", abort=True, err=True)
    show_receipt(ask(data_dir, DeleteUser(project_id=project_id, id=id_)).receipt, as_json=as_json)


@dataclass(frozen=True, kw_only=True)
class _Settings:
    cheap_passwords: bool = False


def _hash(password: str) -> str:
    try:
        check_password(password)
        settings = read_settings(_Settings, os.environ)
    except ArgumentInvalid as error:
        raise as_failure(error) from error
    except SettingsError as error:
        raise CommandFailed(str(error), ExitCode.REFUSED) from error
    return new_hasher(cheap=settings.cheap_passwords).hash(password)


def _set_status(data_dir: Path | None, project_id: ProjectId, id_: UserId, *, enabled: bool, as_json: bool) -> None:
    show_receipt(ask(data_dir, SetUserStatus(project_id=project_id, id=id_, enabled=enabled)).receipt, as_json=as_json)
