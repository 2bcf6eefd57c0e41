"""`make model`: check the protocol in all sizes, and see each broken variant refuted; two at a time."""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.model.checker import missing_tools, run
from tests.model.checks import BROKEN, PROTOCOL

AT_ONCE = 2


def main(chosen: list[str]) -> int:
    """Run the checks whose names contain one of `chosen`, or all; 1 where one is not as expected, 2 without tools."""
    if missing := missing_tools():
        print(f"not installed: {', '.join(missing)}", file=sys.stderr)
        return 2
    checks = [one for one in (*PROTOCOL, *BROKEN) if not chosen or any(part in one.name for part in chosen)]
    surprises = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        runs = [pool.submit(run, check, Path(folder) / str(place)) for place, check in enumerate(checks)]
        for done in as_completed(runs):
            outcome = done.result()
            print(outcome, flush=True)
            surprises += not outcome.is_expected
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
