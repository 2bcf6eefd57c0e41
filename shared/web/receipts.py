"""Receipts of revocations, as answers carry them."""

from typing import TypeVar

from shared.guard.changing import Changed
from shared.guard.receipt import HEADER, Receipt
from shared.web.call import Call

D = TypeVar("D")
T = TypeVar("T")


def add_receipt(call: Call[D], receipt: Receipt | None) -> None:
    """Send the receipt of a revocation, if there was one."""
    if receipt is not None:
        call.add_header(HEADER, receipt.header())


def with_receipt(call: Call[D], changed: Changed[T]) -> T:
    """Send the receipt of a change, and return what was changed."""
    add_receipt(call, changed.receipt)
    return changed.value
