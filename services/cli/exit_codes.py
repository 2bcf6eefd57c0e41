"""What the exit code of a command says."""

from enum import IntEnum

import click


class ExitCode(IntEnum):
    """All of them, in one table."""

    def __new__(cls, code: int, meaning: str) -> "ExitCode":
        """Keep the meaning beside the number."""
        self = int.__new__(cls, code)
        self._value_ = code
        self.meaning = meaning
        return self

    meaning: str

    OK = 0, "done"
    FAILED = 1, "something failed, or did not answer in time"
    USAGE = 2, "the command line is wrong"
    NOT_RUNNING = 3, "no instance runs"
    REFUSED = 4, "refused: in use, taken, unknown, or from another release"


HELP = "\b\nExit codes:\n" + "\n".join(f"  {code.value}  {code.meaning}" for code in ExitCode)


class CommandFailed(click.ClickException):
    """Ends a command with a sentence on stderr and an exit code."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = code.value  # type: ignore[misc] # a class variable to click, which reads it from the instance
