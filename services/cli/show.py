"""Showing the answer to a command: a table for people, JSON for programs, and the receipt of a revocation."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click
import msgspec
from tabulate import tabulate

from services.cli.requester import ask
from shared.contracts.administration import ListProjects

F = TypeVar("F", bound=Callable[..., Any])  # Any: a command, or its function


def json_option(help_: str) -> Callable[[F], F]:
    """Declare `--json` of a command, which has it as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=help_)


as_json = json_option("Print JSON on stdout.")


def _project(context: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Return the project that is named, or else the only one."""
    if value or context.resilient_parsing:
        return value
    ids = [project.id for project in ask(context.obj, ListProjects()).projects]
    if len(ids) != 1:
        raise click.BadParameter(f"name one of the projects: {', '.join(ids) or 'none'}", context, param)
    return ids[0]


of_project = click.option(
    "--project",
    "project_id",
    envvar="DAYPASS_PROJECT",
    callback=_project,
    help="The project's id.  [default: DAYPASS_PROJECT, or else the only project]",
)


def show_list(records: Sequence[msgspec.Struct], headings: Mapping[str, str], *, as_json: bool) -> None:
    """Show records as a table with these headings by field, or as a JSON list."""
    rows: list[dict[str, Any]] = [msgspec.to_builtins(record) for record in records]  # Any: JSON
    if as_json:
        click.echo(json.dumps(rows))
        return
    shown = [{title: _text(row[name]) for name, title in headings.items()} for row in rows]
    click.echo(tabulate(shown, headers="keys") if shown else "none")


def show_one(name: str, record: msgspec.Struct, headings: Mapping[str, str], *, as_json: bool, **known: str) -> None:
    """Show one record, or `{"<name>": …}`, with what only this process knows of it."""
    row: dict[str, Any] = msgspec.to_builtins(record) | known  # Any: JSON
    if as_json:
        click.echo(json.dumps({name: row}))
        return
    click.echo(tabulate([(title, _text(row[field])) for field, title in headings.items()], tablefmt="plain"))


def show_receipt(receipt: str, *, as_json: bool) -> None:
    """Show that something is in force everywhere, or that it is done and has revoked nothing."""
    if as_json:
        click.echo(json.dumps({"receipt": receipt}))
    else:
        click.echo(f"in force everywhere: {receipt}" if receipt else "done")


def _text(value: Any) -> str:  # Any: JSON
    if isinstance(value, list | tuple):
        return f"{len(value)} in total" if len(value) > 8 else ", ".join(map(str, value))  # noqa: PLR2004 a line's worth
    return str(value)
