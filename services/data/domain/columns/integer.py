"""`integer`: a whole number of 64 bits, within `min` and `max`; of 32 bits where `max` is one, as Appwrite has it."""

from services.data.domain.columns.kind import Kind, Options, Value, ValueInvalid, bounded, fixed, in_bounds
from shared.kernel.errors import ArgumentInvalid

LEAST, MOST = -(2**63), 2**63 - 1
MIN_OF_32, MAX_OF_32 = -(2**31), 2**31 - 1
_bounds = bounded(LEAST, MOST)


def options(requested: Options) -> Options:
    """Return whole bounds of 64 bits; raises `ArgumentInvalid`, `Refusal(COLUMN_VALUE_INVALID)`."""
    for name, bound in (("min", requested.min), ("max", requested.max)):
        if bound is not None and (not isinstance(bound, int) or not LEAST <= bound <= MOST):
            raise ArgumentInvalid(name, "Value must be a 64-bit integer")
    return _bounds(requested)


def whole(value: Value, options: Options) -> int:
    """Return a JSON integer; 5.0 and "5" are none."""
    if type(value) is not int or not LEAST <= value <= MOST:
        raise ValueInvalid("it must be a 64-bit integer")
    in_bounds(value, options)
    return value


def check(value: Value, options: Options) -> int:
    """Return a JSON integer that fits the column."""
    number = whole(value, options)
    if options.max is not None and options.max <= MAX_OF_32 and number < MIN_OF_32:
        raise ValueInvalid(f"it must be at least {MIN_OF_32}")
    return number


KIND = Kind(
    name="integer",
    wire_type="integer",
    postgres="bigint",
    options=options,
    check=check,
    width=fixed(8),
    index_width=fixed(1),
    declared=Options(min=-100, max=2**53 + 1),
    examples=[0, 1, -100, 2**53 + 1],
    rejects=["5", 5.0, 5.5, True, -101, 2**53 + 2, [1], 10**30],
)
