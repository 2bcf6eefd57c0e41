"""`bigint`: a whole number of 64 bits, sent as a JSON integer or as a text of digits."""

import re

from services.data.domain.columns import integer
from services.data.domain.columns.kind import Kind, Options, Value, fixed

_DIGITS = re.compile(r"-?[0-9]{1,19}\Z")


def check(value: Value, options: Options) -> int:
    """Return the number."""
    if isinstance(value, str) and _DIGITS.match(value):
        value = int(value)
    return integer.whole(value, options)


KIND = Kind(
    name="bigint",
    wire_type="bigint",
    postgres="bigint",
    options=integer.options,
    check=check,
    width=fixed(8),
    index_width=fixed(1),
    declared=Options(min=integer.LEAST, max=integer.MOST),
    examples=[0, integer.LEAST, integer.MOST],
    rejects=["5.0", "five", 5.5, True, 2**63, "9" * 30],
)
