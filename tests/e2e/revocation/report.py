"""What a checker has seen."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What was seen of one way."""

    rounds: int = 0
    judged: int = 0
    violations: int = 0


@dataclass
class Report:
    """What has been seen, in all and of each way."""

    requests: int = 0
    shown: int = 0
    longest_s: float = 0.0
    ways: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    statuses: Counter[int] = field(default_factory=Counter)
    unavailable: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        """How many rounds are complete."""
        return sum(tally.rounds for tally in self.ways.values())

    @property
    def judged(self) -> int:
        """How many answers came to requests that were sent after the success."""
        return sum(tally.judged for tally in self.ways.values())

    @property
    def seen_through(self) -> set[str]:
        """The ways of which a violation was seen."""
        return {name for name, tally in self.ways.items() if tally.violations}

    def add_violation(self, way: str, text: str) -> None:
        """Note that something dead was shown."""
        self.ways[way].violations += 1
        self.violations.append(f"{way}: {text}")

    def assert_kept(self) -> None:
        """Nothing dead was shown; and what was alive had been, so that this says something."""
        assert not self.violations, self.violations[:5]
        assert not self.faults, self.faults[:5]
        assert self.shown >= self.rounds > 0
        assert self.judged >= self.rounds

    def __str__(self) -> str:
        total = (
            f"{self.rounds:,} rounds, {self.requests:,} requests, {self.judged:,} judged,"
            f" {len(self.violations):,} violations, slowest revocation {self.longest_s:.2f} s"
        )
        ways = [
            f"{name:48} {tally.rounds:8,} rounds {tally.judged:10,} judged {tally.violations:6,} violations"
            for name, tally in sorted(self.ways.items())
        ]
        return "\n".join([total, *ways, str(dict(sorted(self.statuses.items()))), str(dict(self.unavailable))])
