"""Parts on a data directory that is thrown away: for tests and benchmarks."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from services.embedded.parts import Parts, open_parts


@contextlib.asynccontextmanager
async def open_scratch_parts() -> AsyncIterator[Parts]:
    """Run PostgreSQL and Valkey on an empty directory until the end of the block; about a second to start.

    `parts.postgres.dsn("auth")` and `parts.valkey.url("auth")` say where to connect as whom.
    """
    folder = _make_folder()
    try:
        async with open_parts(folder / "data") as parts:
            yield parts
    finally:
        shutil.rmtree(folder)


def _make_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="daypass-scratch-"))
    folder.chmod(0o711)  # under root, the account of the parts enters it
    return folder
