"""`integer`: a whole number of 64 bits, within `min` and `max`."""

from services.data.domain.columns.kind import Kind, Options, Value, ValueInvalid, bounded, fixed, in_bounds

LEAST, MOST = -(2**63), 2**63 - 1


def check(value: Value, options: Options) -> int:
    """Return a JSON integer; 5.0 and "5" are none."""
    if type(value) is not int:
        raise ValueInvalid("it must be an integer")
    in_bounds(value, options)
    return value


KIND = Kind(
    name="integer",
    wire_type="integer",
    postgres="bigint",
    options=bounded(LEAST, MOST),
    check=check,
    width=fixed(8),
    index_width=fixed(1),
)
OPTIONS = Options(min=-100, max=2**53 + 1)
EXAMPLES = [0, 1, -100, 2**53 + 1]
REJECTS = ["5", 5.0, 5.5, True, -101, 2**53 + 2, [1], 10**30]
