"""The command line, as tests of auth call it."""

import asyncio
import json
import sys

DAYPASS = (sys.executable, "-c", "from services.cli import main; main()")


class Daypass:
    """The command, asking one instance."""

    def __init__(self, redis_url: str) -> None:
        self._environ = {"DAYPASS_REDIS_URL": redis_url}

    async def run(self, *arguments: str, **environ: str) -> tuple[int | None, str, str]:
        process = await asyncio.create_subprocess_exec(
            *DAYPASS,
            *arguments,
            env=self._environ | environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    async def json(self, *arguments: str) -> dict[str, object]:
        code, out, err = await self.run(*arguments, "--json")
        assert (code, err) == (0, "")
        (told,) = json.loads(out).values()
        return dict(told)
