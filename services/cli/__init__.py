"""The `daypass` command: one more requester on the bus, and the command that starts and stops the embedded topology.

One module per noun. `COMMANDS` says where each command lives; only the one that is called is imported.
"""

import importlib
from pathlib import Path

import click

from services.cli.exit_codes import HELP

COMMANDS = {
    "up": "services.cli.up",
    "status": "services.cli.instance",
    "down": "services.cli.instance",
    "reset": "services.cli.instance",
    "backup": "services.cli.backup",
    "restore": "services.cli.backup",
    "project": "services.cli.project",
    "key": "services.cli.key",
    "user": "services.cli.user",
    "session": "services.cli.session",
    "team": "services.cli.team",
    "table": "services.cli.table",
    "row": "services.cli.row",
    "explain": "services.cli.explain",
    "revocation": "services.cli.revocation",
    "signing-key": "services.cli.signing_key",
    "column": "services.cli.column",
    "dead-letter": "services.cli.dead_letter",
    "doctor": "services.cli.doctor",
}
"""The module of each command, which has the command's name there, dashes as underscores."""


class Commands(click.Group):
    """The commands of `COMMANDS`, in that order."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        """Return all names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click's signature
        """Import a command; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        return command if isinstance(command, click.Command) else None


@click.command(cls=Commands, epilog=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="The instance's data directory.  [default: /var/lib/daypass for root, else ~/.local/share/daypass]",
)
@click.version_option(package_name="daypass", prog_name="daypass")
@click.pass_context
def main(context: click.Context, data_dir: Path | None) -> None:
    """Daypass: an identity and data backend for Appwrite's SDKs."""
    context.obj = data_dir
