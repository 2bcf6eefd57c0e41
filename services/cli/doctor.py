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
def doctor(data_dir: Path | None, *, as_json: bool) -> None:
    """Check what the promise depends on: Redis, PostgreSQL, clocks, rights, replicas.

    Prints one line per check. warn: should be changed; fail: the promise cannot be kept. Exit code 1 if a check fails.
    """
    findings = ask(data_dir, ExamineDeployment()).findings
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(findings)))
    else:
        click.echo(tabulate([_row(finding) for finding in findings], tablefmt="plain"))
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise click.exceptions.Exit(ExitCode.FAILED.value)


def _row(finding: Finding) -> tuple[str, str, str]:
    verdict = click.style(finding.verdict.value, fg=COLOURS[finding.verdict])
    return verdict, finding.part, f"{finding.check} {finding.message}"
