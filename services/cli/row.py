"""`daypass row`."""

import json
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json, of_project
from shared.contracts.ids import DatabaseId, ProjectId, RowId, TableId
from shared.contracts.tables import ListRows, ShowRow

NAMED = {"$databaseId", "$tableId", "$collectionId"}
"""What the command line has named, and a table of rows need not repeat."""

WIDEST = 40
"""Characters of a line of a cell."""


@click.group(epilog=HELP)
def row() -> None:
    """Look at the rows of a table; `daypass explain` says who may see one."""


@row.command("list", epilog=HELP)
@of_project
@click.argument("database")
@click.argument("table")
@click.option(
    "--query",
    "queries",
    multiple=True,
    help="A query as the SDKs send it; repeat for more:"
    """ '{"method": "equal", "attribute": "title", "values": ["Faust"]}'""",
)
@click.option("--limit", default=25, show_default=True, type=click.IntRange(1, 1000))
@as_json
@click.pass_obj
def list_(
    data_dir: Path | None,
    /,
    *,
    limit: int,
    queries: tuple[str, ...],
    as_json: bool,
    **place: Any,  # Any: what click parsed, under the names that the request has
) -> None:
    """List rows, whoever may read them."""
    page_of = json.dumps({"method": "limit", "values": [limit]})
    page = json.loads(ask(data_dir, ListRows(queries=(*queries, page_of), **place)).json)
    rows = next(value for value in page.values() if isinstance(value, list))
    if as_json:
        click.echo(json.dumps(rows))
        return
    shown = [{name: _text(value) for name, value in row.items() if name not in NAMED} for row in rows]
    click.echo(tabulate(shown, headers="keys", maxcolwidths=WIDEST, disable_numparse=True) if shown else "none")
    if page["total"] > len(rows):
        click.echo(f"{len(rows)} of {page['total']}", err=True)


@row.command(epilog=HELP)
@of_project
@click.argument("database")
@click.argument("table")
@click.argument("row")
@as_json
@click.pass_obj
def show(
    data_dir: Path | None, *, project_id: ProjectId, database: DatabaseId, table: TableId, row: RowId, as_json: bool
) -> None:
    """Show a row, whoever may read it."""
    values = json.loads(ask(data_dir, ShowRow(project_id=project_id, database=database, table=table, row=row)).json)
    if as_json:
        click.echo(json.dumps({"row": values}))
        return
    shown = [(name, _text(value)) for name, value in values.items()]
    click.echo(tabulate(shown, tablefmt="plain", disable_numparse=True))


def _text(value: Any) -> str:  # Any: JSON
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return ", ".join(map(str, value)) if isinstance(value, list) else json.dumps(value)
