"""`daypass team`."""

import json
from pathlib import Path

import click
import msgspec

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json, of_project, show_list, show_one
from shared.contracts.ids import ProjectId, TeamId
from shared.contracts.teams import ListTeams, ShowTeam

HEADINGS = {"id": "TEAM", "name": "NAME", "total": "MEMBERS", "created_at": "CREATED"}
MEMBERSHIP = {
    "id": "MEMBERSHIP",
    "user_id": "USER",
    "name": "NAME",
    "email": "E-MAIL",
    "roles": "ROLES",
    "confirmed": "CONFIRMED",
}


@click.group(epilog=HELP)
def team() -> None:
    """Look at the teams of a project."""


@team.command("list", epilog=HELP)
@of_project
@click.option("--search", default="", help="Part of the id or name.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 5000))
@as_json
@click.pass_obj
def list_(data_dir: Path | None, *, project_id: ProjectId, search: str, limit: int, as_json: bool) -> None:
    """List teams, the oldest first."""
    teams = ask(data_dir, ListTeams(project_id=project_id, search=search, limit=limit)).teams
    show_list(teams, HEADINGS, as_json=as_json)


@team.command(epilog=HELP)
@of_project
@click.argument("id_", metavar="ID")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 5000), help="The largest number of memberships."
)
@as_json
@click.pass_obj
def show(data_dir: Path | None, id_: TeamId, *, project_id: ProjectId, limit: int, as_json: bool) -> None:
    """Show a team, its members with their roles, and who is invited (not confirmed)."""
    answer = ask(data_dir, ShowTeam(project_id=project_id, id=id_, limit=limit))
    team = answer.teams[0]
    if as_json:
        memberships = msgspec.to_builtins(answer.memberships)
        click.echo(json.dumps({"team": msgspec.to_builtins(team) | {"memberships": memberships}}))
        return
    show_one("team", team, HEADINGS, as_json=False)
    click.echo()
    show_list(answer.memberships, MEMBERSHIP, as_json=False)
