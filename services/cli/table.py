"""`daypass table`."""

from pathlib import Path
from typing import Any

import click
import msgspec

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json, of_project, show_list, show_one
from shared.contracts.ids import DatabaseId, ProjectId, TableId
from shared.contracts.tables import ColumnRecord, ListTables, ShowTable

HEADINGS = {"database": "DATABASE", "id": "TABLE", "name": "NAME", "enabled": "ENABLED", "row_security": "ROW SECURITY"}
PERMISSIONS = {"permissions": "PERMISSIONS"}
COLUMN = {"key": "COLUMN", "type": "TYPE", "required": "REQUIRED", "default": "DEFAULT", "options": "OPTIONS"}
INDEX = {"key": "INDEX", "type": "TYPE", "columns": "COLUMNS", "orders": "ORDERS"}


class _Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column as a line shows it."""

    key: str
    type: str
    required: bool
    default: Any  # Any: JSON
    options: str


@click.group(epilog=HELP)
def table() -> None:
    """Look at the tables of a project; `daypass row` shows their rows."""


@table.command("list", epilog=HELP)
@of_project
@click.option("--database", default="", help="The database's id.  [default: all databases]")
@as_json
@click.pass_obj
def list_(data_dir: Path | None, *, project_id: ProjectId, database: DatabaseId, as_json: bool) -> None:
    """List tables."""
    tables = ask(data_dir, ListTables(project_id=project_id, database=database)).tables
    show_list(tables, HEADINGS, as_json=as_json)


@table.command(epilog=HELP)
@of_project
@click.argument("database")
@click.argument("table")
@as_json
@click.pass_obj
def show(data_dir: Path | None, *, project_id: ProjectId, database: DatabaseId, table: TableId, as_json: bool) -> None:
    """Show a table: its columns, indexes, permissions, and whether rows have permissions of their own."""
    record = ask(data_dir, ShowTable(project_id=project_id, database=database, table=table)).tables[0]
    show_one("table", record, HEADINGS | PERMISSIONS, as_json=as_json)
    if not as_json:
        click.echo()
        show_list([_as_line(column) for column in record.columns], COLUMN, as_json=False)
        click.echo()
        show_list(record.indexes, INDEX, as_json=False)


def _as_line(column: ColumnRecord) -> _Column:
    return _Column(
        key=column.key,
        type=f"{column.type}[]" if column.array else column.type,
        required=column.required,
        default="" if column.default is None else column.default,
        options=", ".join(f"{name} {_words(value)}" for name, value in column.options.items()),
    )


def _words(value: Any) -> str:  # Any: JSON
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
