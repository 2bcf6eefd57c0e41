"""Receipts of revocations, as answers carry them."""

from typing import TypeVar

from services.auth.deps import AuthDeps
from services.auth.revocations.operations.changing import Changed
from shared.guard.receipt import HEADER, Receipt
from shared.web.endpoint import Call

T = TypeVar("T")


def add_receipt(call: Call[AuthDeps], receipt: Receipt | None) -> None:
    """Send the receipt of a revocation, if there was one."""
    if receipt is not None:
        call.add_header(HEADER, receipt.header())


def with_receipt(call: Call[AuthDeps], changed: Changed[T]) -> T:
    """Send the receipt of a change, and return what was changed."""
    add_receipt(call, changed.receipt)
    return changed.value
