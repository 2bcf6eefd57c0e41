"""`daypass column`: encrypted columns."""

import json
from pathlib import Path

import click

from services.cli.exit_codes import HELP, CommandFailed
from services.cli.requester import ask
from services.cli.show import as_json
from shared.contracts.columns import ResealColumns, ResealProgress


@click.group(epilog=HELP)
def column() -> None:
    """Manage encrypted columns."""


@column.command(epilog=HELP)
@as_json
@click.pass_obj
def reseal(data_dir: Path | None, *, as_json: bool) -> None:
    """Encrypt all values again with the first key of DAYPASS_COLUMN_KEY; the others can then be removed.

    Rows can be read and written meanwhile. A command that is interrupted goes on where it was when it is repeated.
    """
    resealed = unreadable = 0
    progress = ask(data_dir, ResealColumns())
    while progress.column is not None:
        resealed += progress.column.resealed
        unreadable += progress.column.unreadable
        click.echo(_line(progress), err=True)
        if not progress.remaining:
            break
        progress = ask(data_dir, ResealColumns(key=progress.key))
    counts = {"key": progress.key, "resealed": resealed, "unreadable": unreadable}
    click.echo(json.dumps(counts) if as_json else f"{resealed:,} values were resealed under the key {progress.key}")
    if unreadable:
        raise CommandFailed(f"{unreadable:,} values cannot be decrypted under any key; the log of data names them")


def _line(progress: ResealProgress) -> str:
    column = progress.column
    assert column is not None  # noqa: S101 the caller has looked
    where = f"{column.database}/{column.table}/{column.column}"
    return f"{where}: row {column.row:,} of {column.rows:,}; columns that remain: {progress.remaining}"
