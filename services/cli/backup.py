"""`daypass backup` and `daypass restore`: all data of an instance in one file, and a data directory from it."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import click

from services.cli.exit_codes import HELP, CommandFailed, ExitCode
from services.cli.place import chosen
from services.cli.up import say
from services.embedded import backup as operations
from services.embedded.errors import PartFailed, StartRefused


@click.command(epilog=HELP)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, resolve_path=True))
@click.pass_obj
def backup(given: Path | None, file: Path) -> None:
    """Write all data of an instance, whether it runs or not, to FILE, which is as private as the data itself.

    Sessions, login tokens and signing keys are of no use in it: a restore ends them. In containers: make backup.
    """
    with _in_words(file):
        manifest = asyncio.run(operations.back_up(chosen(given), file, say=say))
    size = sum(content.bytes for content in manifest.files.values())
    click.echo(f"{file} is whole: {size:,} bytes, made {manifest.made_at} by Daypass {manifest.release}")


@click.command(epilog=HELP)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True, resolve_path=True))
@click.option("--replace", is_flag=True, help="Put what is in the data directory aside.")
@click.pass_obj
def restore(given: Path | None, file: Path, *, replace: bool) -> None:
    """Make a data directory from the backup FILE, which is checked before; start it with daypass up.

    All sessions end, all signing keys are replaced, and the first start makes a new key. In containers: make restore.
    """
    place = chosen(given)
    with _in_words(file):
        aside = asyncio.run(operations.restore(place, file, replace=replace, say=say))
    if aside is not None:
        click.echo(f"What was there is in {aside} now")
    click.echo(f"{place.path} is restored; start it with: daypass --data-dir {place.path} up")


@contextlib.contextmanager
def _in_words(file: Path) -> Iterator[None]:
    try:
        yield
    except StartRefused as error:
        raise CommandFailed(str(error), ExitCode.REFUSED) from error
    except OSError as error:
        raise CommandFailed(f"{error.filename or file}: {error.strerror or error}") from error
    except (PartFailed, asyncpg.PostgresError) as error:
        raise CommandFailed(str(error)) from error
