"""`daypass project`."""

from pathlib import Path

import click

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json, show_list, show_one, show_receipt
from shared.contracts.administration import CreateProject, DeleteProject, ListProjects, UpdateProject

HEADINGS = {"id": "PROJECT", "name": "NAME", "origins": "ORIGINS"}

origin = click.option(
    "--origin", "origins", multiple=True, help="A host whose pages may call; repeat for more, *.example.com for all."
)


@click.group(epilog=HELP)
def project() -> None:
    """Projects: each has users, keys and databases of its own."""


@project.command(epilog=HELP)
@click.argument("id_", metavar="ID")
@click.option("--name", help="[default: the id]")
@origin
@as_json
@click.pass_obj
def create(given: Path | None, id_: str, *, name: str | None, origins: tuple[str, ...], as_json: bool) -> None:
    """Create a project, known everywhere when this returns."""
    request = CreateProject(id=id_, name=name or id_, origins=origins or ("localhost",))
    show_one("project", ask(given, request).projects[0], HEADINGS, as_json=as_json)


@project.command("list", epilog=HELP)
@as_json
@click.pass_obj
def list_(given: Path | None, *, as_json: bool) -> None:
    """List all projects."""
    show_list(ask(given, ListProjects()).projects, HEADINGS, as_json=as_json)


@project.command(epilog=HELP)
@click.argument("id_", metavar="ID")
@click.option("--name", help="Another name.")
@origin
@as_json
@click.pass_obj
def update(given: Path | None, id_: str, *, name: str | None, origins: tuple[str, ...], as_json: bool) -> None:
    """Change a project, in force everywhere when this returns."""
    request = UpdateProject(id=id_, name=name, origins=origins or None)
    show_one("project", ask(given, request).projects[0], HEADINGS, as_json=as_json)


@project.command(epilog=HELP)
@click.argument("id_", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@click.pass_obj
def delete(given: Path | None, id_: str, *, yes: bool, as_json: bool) -> None:
    """Delete a project with all its users, keys and databases; refused everywhere when this returns."""
    if not yes:
        click.confirm(f"Delete project {id_} with everything in it?", abort=True)
    show_receipt(ask(given, DeleteProject(id=id_)).receipt, as_json=as_json)
