"""Receipts: the proof that a revocation is in force everywhere."""

import msgspec

HEADER = "Daypass-Receipt"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the barrier found: the entry's number, the replicas that have applied it, those that were fenced.

    `milliseconds` is the time from the commit to the answer.
    """

    number: int
    acked: int
    fenced: int
    milliseconds: float

    def header(self) -> str:
        """Write it as the value of `Daypass-Receipt`, a dictionary of RFC 9651."""
        return f"n={self.number}, acked={self.acked}, fenced={self.fenced}, ms={self.milliseconds:.1f}"
