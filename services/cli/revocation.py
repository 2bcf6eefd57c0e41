"""`daypass revocation`: the proof that something is dead everywhere."""

from pathlib import Path

import click

from services.cli.exit_codes import HELP
from services.cli.requester import ask
from services.cli.show import as_json, show_list, show_one
from shared.contracts.revocations import ListRevocations, ShowRevocation

HEADINGS = {
    "number": "NUMBER",
    "state": "STATE",
    "reason": "REASON",
    "subjects": "SUBJECTS",
    "asked_by": "ASKED BY",
    "committed_at": "COMMITTED",
    "answered_at": "IN FORCE EVERYWHERE",
    "acked": "ACKED",
    "fenced": "FENCED",
    "milliseconds": "MS",
}


@click.group(epilog=HELP)
def revocation() -> None:
    """Look up what was revoked, by whom, and when it was in force on every replica.

    The number is that of the header Daypass-Receipt. Pending: committed, but not yet confirmed on every replica.
    """


@revocation.command("list", epilog=HELP)
@click.option("--subject", default="", help="Only this subject: session:PROJECT/ID, user:PROJECT/ID, key:PROJECT/ID.")
@click.option("--pending", "is_pending", is_flag=True, help="Only revocations that are not confirmed.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="The largest number of revocations."
)
@as_json
@click.pass_obj
def list_(data_dir: Path | None, *, subject: str, is_pending: bool, limit: int, as_json: bool) -> None:
    """List revocations, the newest first."""
    request = ListRevocations(subject=subject, is_pending=is_pending, limit=limit)
    show_list(ask(data_dir, request).revocations, HEADINGS, as_json=as_json)


@revocation.command(epilog=HELP)
@click.argument("number", type=click.IntRange(1))
@as_json
@click.pass_obj
def show(data_dir: Path | None, *, number: int, as_json: bool) -> None:
    """Show one revocation."""
    show_one("revocation", ask(data_dir, ShowRevocation(number=number)).revocations[0], HEADINGS, as_json=as_json)
