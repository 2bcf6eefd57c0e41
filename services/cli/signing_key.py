"""`daypass signing-key`: the keys that sign JWTs."""

import json
from pathlib import Path

import click
import msgspec
from tabulate import tabulate

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json
from shared.contracts.signing_keys import (
    ListSigningKeys,
    ResealSigningKeys,
    RetireSigningKey,
    RotateSigningKey,
    SigningKeyRecords,
)

HEADINGS = {"kid": "KEY", "algorithm": "ALGORITHM", "state": "STATE", "changed_at": "SINCE"}


@click.group("signing-key", epilog=HELP)
def signing_key() -> None:
    """Manage the keys that sign JWTs: next (published), active (signs), retiring (its JWTs are valid), gone.

    Rotate from time to time: the next key, which is already published, then signs. A JWT lives an hour at most, so
    retire the old key an hour after a rotation, or at once if somebody else may know it.
    """


@signing_key.command("list", epilog=HELP)
@as_json
@click.pass_obj
def list_(data_dir: Path | None, *, as_json: bool) -> None:
    """List all signing keys, the oldest first."""
    _show(ask(data_dir, ListSigningKeys()), as_json=as_json)


@signing_key.command(epilog=HELP)
@as_json
@click.pass_obj
def rotate(data_dir: Path | None, *, as_json: bool) -> None:
    """Make the next key the active one, and publish a new next key. No request fails because of this."""
    active = next(key.kid for key in ask(data_dir, ListSigningKeys()).keys if key.state == "active")
    _show(ask(data_dir, RotateSigningKey(active=active)), as_json=as_json)


@signing_key.command(epilog=HELP)
@click.argument("kid")
@as_json
@click.pass_obj
def retire(data_dir: Path | None, kid: str, *, as_json: bool) -> None:
    """End a retiring key. Every JWT that it signed is refused on every replica when the command returns."""
    _show(ask(data_dir, RetireSigningKey(kid=kid)), as_json=as_json)


@signing_key.command(epilog=HELP)
@as_json
@click.pass_obj
def reseal(data_dir: Path | None, *, as_json: bool) -> None:
    """Encrypt all private keys again with the first key of DAYPASS_MASTER_KEY; the others can then be removed."""
    _show(ask(data_dir, ResealSigningKeys()), as_json=as_json)


def _show(records: SigningKeyRecords, *, as_json: bool) -> None:
    rows = [msgspec.to_builtins(key) for key in records.keys]
    if as_json:
        click.echo(json.dumps(rows))
        return
    click.echo(tabulate([{title: row[name] for name, title in HEADINGS.items()} for row in rows], headers="keys"))
    click.echo(f"issuer (iss): {records.issuer}")
    if records.receipt:
        click.echo(f"in force everywhere: {records.receipt}")
