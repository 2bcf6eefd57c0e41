"""`float`: a number of double precision, within `min` and `max`."""

import math
import sys

from services.data.domain.columns.kind import Kind, Options, Value, ValueInvalid, bounded, fixed, in_bounds


def check(value: Value, options: Options) -> float:
    """Return a JSON number as a float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueInvalid("it must be a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueInvalid("it must be a double-precision number") from error
    if not math.isfinite(number):
        raise ValueInvalid("it must be finite")
    in_bounds(number, options)
    return number


KIND = Kind(
    name="float",
    wire_type="double",
    postgres="double precision",
    options=bounded(-sys.float_info.max, sys.float_info.max),
    check=check,
    width=fixed(8),
    index_width=fixed(2),
    declared=Options(min=-1.5, max=1e300),
    examples=[0.5, -1.5, 3, 1e300, 0.1],
    rejects=["5", True, -1.6, 10**400, [0.5]],
)
