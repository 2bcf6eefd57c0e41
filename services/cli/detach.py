"""Going on in the background, once what was started is ready."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path


def detach() -> Callable[[Path], None]:
    """Go on as a child in a session of its own; return what releases the parent, to be called when all is ready.

    The parent does not return from this call. It ends when it is released, or, with the child's exit code, when the
    child ends; until then the child writes where the parent wrote, and from then on to the end of a log. To be called
    while there is one thread and no event loop.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        sys.exit(_wait(child, reader))
    os.close(reader)
    os.setsid()

    def release(log: Path) -> None:
        _write_to(log)
        with contextlib.suppress(BrokenPipeError):
            os.write(writer, b"\n")
        os.close(writer)

    return release


def _wait(child: int, reader: int) -> int:
    try:
        if os.read(reader, 1):
            return 0
    except KeyboardInterrupt:
        os.kill(child, signal.SIGTERM)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 1


def _write_to(log: Path) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.fchmod(output, 0o600)  # one that an older release has made
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)
