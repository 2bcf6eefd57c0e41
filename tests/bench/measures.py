"""What a benchmark says: a ratio, its goal, and whether it is met; printed, and written into build/bench.

`bench.json` is for programs, `bench.md` is the same as a table.
"""

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tabulate import tabulate

FOLDER = Path(__file__).parents[2] / "build" / "bench"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A figure. `goal` reads `>= 0.95` or `<= 1.5`; `detail` says what was compared, and how often.

    A figure without a goal has an empty one, and `met` is None.
    """

    name: str
    value: float
    unit: str
    goal: str
    met: bool | None
    detail: str


def at_least(goal: float, *, name: str, value: float, detail: str, unit: str = "ratio") -> Measure:
    """A figure that is good when it is large."""
    return Measure(name=name, value=round(value, 3), unit=unit, goal=f">= {goal}", met=value >= goal, detail=detail)


def at_most(goal: float, *, name: str, value: float, detail: str, unit: str = "ratio") -> Measure:
    """A figure that is good when it is small."""
    return Measure(name=name, value=round(value, 3), unit=unit, goal=f"<= {goal}", met=value <= goal, detail=detail)


def figure(*, name: str, value: float, detail: str, unit: str = "ratio") -> Measure:
    """A figure that is only reported."""
    return Measure(name=name, value=round(value, 3), unit=unit, goal="", met=None, detail=detail)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` % of all do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def median_ratio(rounds: Sequence[Sequence[float]], over: int = 0, under: int = 1) -> float:
    """The median of the ratios of two columns, taken round by round."""
    return statistics.median(row[over] / row[under] for row in rounds)


def report(measures: Sequence[Measure]) -> None:
    """Write all figures, and print them as a table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(measure) for measure in measures], indent=2)
    (FOLDER / "bench.json").write_text(text + "\n", encoding="utf-8")
    met = {True: "yes", False: "NO", None: "-"}
    rows = [(m.name, m.value, m.unit, m.goal, met[m.met], m.detail) for m in measures]
    (FOLDER / "bench.md").write_text(_table(rows, "github") + "\n", encoding="utf-8")
    print(_table(rows, "simple"))


def _table(rows: Sequence[tuple[object, ...]], style: str) -> str:
    headers = ["measure", "value", "unit", "goal", "met", "detail"]
    return tabulate(rows, headers=headers, floatfmt=".3f", tablefmt=style)
