"""Receipts: the proof that a revocation is in force everywhere."""

import msgspec

HEADER = "Daypass-Receipt"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a barrier: the entry's number, the replicas that have applied it, those that were fenced.

    `milliseconds` is the time from the commit to the answer. Number 0 is a receipt that is pending.
    """

    number: int
    acked: int
    fenced: int
    milliseconds: float

    def header(self) -> str:
        """Write it as the value of `Daypass-Receipt`, a dictionary of RFC 9651; a pending one says only that."""
        if not self.number:
            return "pending"
        return f"n={self.number}, acked={self.acked}, fenced={self.fenced}, ms={self.milliseconds:.1f}"


PENDING = Receipt(number=0, acked=0, fenced=0, milliseconds=0.0)
