"""`daypass backup` and `daypass restore`: all data of an instance in one file, and a data directory from it."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from services.cli.data_dir import data_dir_of
from services.cli.exit_codes import HELP, CommandFailed, ExitCode
from services.cli.up import say
from services.embedded import backup as operations
from services.embedded.errors import PartFailed, StartRefused
from shared.kernel.settings import Secret, key_texts
from shared.postgres.errors import DATABASE_ERRORS


@click.command(epilog=HELP)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, resolve_path=True))
@click.option("--force", is_flag=True, help="Overwrite FILE if it already exists.")
@click.pass_obj
def backup(path: Path | None, file: Path, *, force: bool) -> None:
    """Write all data of an instance to FILE, whether it runs or not. Keep FILE as private as the data.

    FILE cannot sign anybody in: a restore ends all sessions and replaces all signing keys. In containers: make backup.
    """
    if file.exists() and not force:
        raise CommandFailed(f"{file} already exists: choose another name, or say --force", ExitCode.REFUSED)
    with _failures(file):
        manifest = asyncio.run(operations.back_up(data_dir_of(path), file, say=say))
    size = sum(content.bytes for content in manifest.files.values())
    click.echo(f"{file} is complete: {size:,} bytes, made {manifest.made_at} by Daypass {manifest.release}")


@click.command(epilog=HELP)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True, resolve_path=True))
@click.option("--replace", is_flag=True, help="Move existing data in the data directory aside.")
@click.option(
    "--column-key-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file with the column_key of the instance that was backed up.  [default: that of the replaced data]",
)
@click.pass_obj
def restore(path: Path | None, file: Path, *, replace: bool, column_key_file: Path | None) -> None:
    """Create a data directory from the backup FILE, which is verified first; start it with daypass up.

    A backup does not contain the key of encrypted columns, and they cannot be read without it.

    All sessions end, all signing keys are replaced, and the first start creates a new API key.

    In containers: make restore.
    """
    data_dir = data_dir_of(path)
    with _failures(file):
        column_key = None if column_key_file is None else _read_keys(column_key_file)
        replaced = asyncio.run(operations.restore(data_dir, file, replace=replace, column_key=column_key, say=say))
    if replaced is not None:
        click.echo(f"The previous data is now in {replaced}")
    click.echo(f"{data_dir.path} is restored; start it with: daypass --data-dir {data_dir.path} up")


def _read_keys(file: Path) -> Secret:
    keys = Secret(file.read_text(encoding="utf-8").strip())
    try:
        key_texts(keys)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--column-key-file") from error
    return keys


@contextlib.contextmanager
def _failures(file: Path) -> Iterator[None]:
    try:
        yield
    except StartRefused as error:
        raise CommandFailed(str(error), ExitCode.REFUSED) from error
    except OSError as error:
        raise CommandFailed(f"{error.filename or file}: {error.strerror or error}") from error
    except (PartFailed, *DATABASE_ERRORS) as error:
        raise CommandFailed(str(error)) from error
