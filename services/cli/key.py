"""`daypass key`."""

from pathlib import Path
from typing import Any

import click

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json, of_project, show_list, show_one, show_receipt
from shared.contracts.administration import CreateKey, DeleteKey, ListKeys, UpdateKey
from shared.contracts.ids import KeyId, ProjectId
from shared.contracts.scopes import ALL as ALL_SCOPES

SCOPE = click.Choice(sorted(ALL_SCOPES))
HEADINGS = {"id": "KEY", "name": "NAME", "scopes": "SCOPES", "expire": "EXPIRES"}


@click.group(epilog=HELP)
def key() -> None:
    """Manage API keys, the credentials of backends."""


@key.command(epilog=HELP)
@of_project
@click.option("--name", required=True, help="The purpose of the key.")
@click.option(
    "--scope",
    "scopes",
    type=SCOPE,
    metavar="SCOPE",
    multiple=True,
    help="A scope, such as users.read; repeat for more.  [default: all]",
)
@click.option("--expire", default="", help="An ISO 8601 date.  [default: never]")
@as_json
@click.pass_obj
def create(
    data_dir: Path | None, *, project_id: ProjectId, name: str, scopes: tuple[str, ...], expire: str, as_json: bool
) -> None:
    """Create a key and show its secret, this once: Daypass keeps only a digest of it."""
    request, secret = CreateKey.new(project_id=project_id, name=name, scopes=scopes or None, expire=expire)
    show_one("key", ask(data_dir, request).keys[0], HEADINGS | {"secret": "SECRET"}, as_json=as_json, secret=secret)


@key.command("list", epilog=HELP)
@of_project
@as_json
@click.pass_obj
def list_(data_dir: Path | None, *, project_id: ProjectId, as_json: bool) -> None:
    """List the keys of a project, without their secrets."""
    show_list(ask(data_dir, ListKeys(project_id=project_id)).keys, HEADINGS, as_json=as_json)


@key.command(epilog=HELP)
@of_project
@click.argument("id_", metavar="ID")
@click.option("--name", help="The new name.")
@click.option(
    "--scope",
    "--scopes",
    "scopes",
    type=SCOPE,
    metavar="SCOPE",
    multiple=True,
    help="A scope of the new set, which replaces the old one; repeat for more.",
)
@click.option("--expire", help="An ISO 8601 date, or empty for never.")
@as_json
@click.pass_obj
def update(
    data_dir: Path | None,
    /,
    id_: KeyId,
    *,
    scopes: tuple[str, ...],
    as_json: bool,
    **changes: Any,  # Any: what click parsed, under the names that the request has
) -> None:
    """Change a key. The change is in force on every replica when the command returns; other settings stay."""
    request = UpdateKey(id=id_, scopes=scopes or None, **changes)
    show_one("key", ask(data_dir, request).keys[0], HEADINGS, as_json=as_json)


@key.command(epilog=HELP)
@of_project
@click.argument("id_", metavar="ID")
@as_json
@click.pass_obj
def delete(data_dir: Path | None, id_: KeyId, *, project_id: ProjectId, as_json: bool) -> None:
    """Delete a key. It is refused on every replica when the command returns."""
    show_receipt(ask(data_dir, DeleteKey(project_id=project_id, id=id_)).receipt, as_json=as_json)
