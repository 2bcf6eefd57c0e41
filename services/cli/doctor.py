"""`daypass doctor`: is the deployment as the promise needs it?"""

import json
from pathlib import Path

import click
import msgspec
from tabulate import tabulate

from services.cli.exit_codes import HELP, ExitCode
from services.cli.requester import ask
from services.cli.show import as_json
from shared.contracts.findings import ExamineDeployment, Finding, Verdict

COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}


@click.command(epilog=HELP)
@as_json
@click.pass_obj
def doctor(given: Path | None, *, as_json: bool) -> None:
    """Check what the promise depends on: Redis, PostgreSQL, clocks, rights, replicas.

    Prints one line per check. warn: should be changed; fail: the promise cannot be kept. Exit code 1 if a check fails.
    """
    found = ask(given, ExamineDeployment()).findings
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found)))
    else:
        click.echo(tabulate([_row(one) for one in found], tablefmt="plain"))
    if any(one.verdict is Verdict.FAIL for one in found):
        raise click.exceptions.Exit(ExitCode.FAILED.value)


def _row(finding: Finding) -> tuple[str, str, str]:
    verdict = click.style(finding.verdict.value, fg=COLOURS[finding.verdict])
    return verdict, finding.part, f"{finding.check} {finding.message}"
