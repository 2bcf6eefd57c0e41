"""Runs spin over `revocation.pml`: what is checked, in which sizes, and which check refutes which broken rule."""

import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).parent / "revocation.pml"
TOOLS = ("spin", "cc")
MEMORY_MB = 4000
DEPTH = 5_000_000


@dataclass(frozen=True, kw_only=True)
class Check:
    """A model to search: a configuration of the protocol, or one with a rule broken, which must be refuted."""

    name: str
    defines: str
    is_quick: bool = False
    is_broken: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the search said: `verdict` is verified, refuted, or what kept it from the one or the other."""

    check: Check
    verdict: str
    states: int
    seconds: float

    @property
    def is_expected(self) -> bool:
        return self.verdict == ("refuted" if self.check.is_broken else "verified")

    def __str__(self) -> str:
        surprise = "" if self.is_expected else "  NOT AS EXPECTED"
        return f"{self.check.name} {self.verdict} in {self.states} states ({self.seconds:.1f} s){surprise}"


def missing_tools() -> list[str]:
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def run(check: Check, folder: Path, *, depth: int = DEPTH) -> Outcome:
    """Search one model to its end, at most `depth` steps deep, in `folder`, which is made."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    macros = [f"-D{define}" for define in check.defines.split()]
    _call(["spin", *macros, "-a", str(MODEL)], folder)
    options = ["-O2", "-w", "-DSAFETY", "-DNOCLAIM", "-DCOLLAPSE", f"-DMEMLIM={MEMORY_MB}"]
    _call(["cc", *options, "-o", "pan", "pan.c"], folder)
    said = _call(["./pan", "-E", f"-m{depth}"], folder)
    return Outcome(check=check, verdict=_verdict(said), states=_states(said), seconds=time.monotonic() - started)


def _call(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=900)
    said = done.stdout + done.stderr
    if "error" in said.lower() and command[0] != "./pan":
        raise RuntimeError(f"{' '.join(command)}: {said}")
    return said


def _verdict(said: str) -> str:
    if "assertion violated" in said:
        return "refuted"
    if "max search depth too small" in said or "Search not completed" in said or "errors: 0" not in said:
        return "not searched to the end"
    return "verified"


def _states(said: str) -> int:
    found = re.search(r"([\d.e+]+) states, stored", said)
    return int(float(found.group(1))) if found else 0
