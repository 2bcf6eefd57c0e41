"""`datetime`: a moment, in milliseconds and UTC; without an offset it is taken as UTC."""

from datetime import datetime as moment_of

from services.data.domain.columns.kind import Kind, Options, Value, ValueInvalid, fixed, no_options, text
from shared.kernel.dates import parse_date

REFUSAL = "it must be an ISO 8601 date with a year of four digits, such as 2020-10-15T06:38:00.000+00:00"


def check(value: Value, _: Options) -> moment_of:
    """Return the moment of a date, in UTC, cut to milliseconds."""
    try:
        return parse_date(text(value))
    except ValueError as error:
        raise ValueInvalid(REFUSAL) from error


KIND = Kind(
    name="datetime",
    wire_type="datetime",
    format="datetime",
    postgres="timestamptz(3)",
    options=no_options,
    check=check,
    width=fixed(8),
    index_width=fixed(1),
    examples=["2020-10-15T06:38:00.000+00:00", "1000-01-01T00:00:00.000+00:00", "9999-12-31T23:59:59.999+00:00"],
    rejects=["16/01/2024 12:00:00AM", "yesterday", "12024-01-01", "2024-13-01", 20240101, "2024-01-01\0", "0999-01-01"],
)
