"""`daypass backup` and `daypass restore`: all data of an instance in one file, and a data directory from it."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from services.cli.exit_codes import HELP, CommandFailed, ExitCode
from services.cli.place import chosen
from services.cli.up import say
from services.embedded import backup as operations
from services.embedded.errors import PartFailed, StartRefused
from shared.postgres.errors import DATABASE_ERRORS


@click.command(epilog=HELP)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, resolve_path=True))
@click.option("--force", is_flag=True, help="Overwrite FILE if it already exists.")
@click.pass_obj
def backup(given: Path | None, file: Path, *, force: bool) -> None:
    """Write all data of an instance to FILE, whether it runs or not. Keep FILE as private as the data.

    FILE cannot sign anybody in: a restore ends all sessions and replaces all signing keys. In containers: make backup.
    """
    if file.exists() and not force:
        raise CommandFailed(f"{file} already exists: choose another name, or say --force", ExitCode.REFUSED)
    with _in_words(file):
        manifest = asyncio.run(operations.back_up(chosen(given), file, say=say))
    size = sum(content.bytes for content in manifest.files.values())
    click.echo(f"{file} is complete: {size:,} bytes, made {manifest.made_at} by Daypass {manifest.release}")


@click.command(epilog=HELP)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True, resolve_path=True))
@click.option("--replace", is_flag=True, help="Move existing data in the data directory aside.")
@click.pass_obj
def restore(given: Path | None, file: Path, *, replace: bool) -> None:
    """Create a data directory from the backup FILE, which is verified first; start it with daypass up.

    All sessions end, all signing keys are replaced, and the first start creates a new API key.

    In containers: make restore.
    """
    place = chosen(given)
    with _in_words(file):
        aside = asyncio.run(operations.restore(place, file, replace=replace, say=say))
    if aside is not None:
        click.echo(f"The previous data is now in {aside}")
    click.echo(f"{place.path} is restored; start it with: daypass --data-dir {place.path} up")


@contextlib.contextmanager
def _in_words(file: Path) -> Iterator[None]:
    try:
        yield
    except StartRefused as error:
        raise CommandFailed(str(error), ExitCode.REFUSED) from error
    except OSError as error:
        raise CommandFailed(f"{error.filename or file}: {error.strerror or error}") from error
    except (PartFailed, *DATABASE_ERRORS) as error:
        raise CommandFailed(str(error)) from error
