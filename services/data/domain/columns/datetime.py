"""`datetime`: a moment, in milliseconds and UTC; without an offset it is taken as UTC."""

import re
from datetime import UTC
from datetime import datetime as moment_of
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser

from services.data.domain.columns.kind import Kind, Options, Value, ValueInvalid, fixed, no_options, text

_STARTS_WITH_YEAR = re.compile(r"[1-9][0-9]{3}(?![0-9])")
_NAMED_ZONE = re.compile(r"(.*\S)\s+([A-Za-z]+(?:/[A-Za-z_]+)+)\Z")
LONGEST = 64


def check(value: Value, _: Options) -> moment_of:
    """Return the moment of a date that begins with its year of four digits, in UTC, cut to milliseconds."""
    found = text(value)
    if len(found) > LONGEST or not found.isascii() or not _STARTS_WITH_YEAR.match(found):
        raise ValueInvalid("it must be a date that begins with its year, such as 2020-10-15T06:38:00.000+00:00")
    try:
        moment = _parse(found).astimezone(UTC)
    except (ValueError, ArithmeticError, ZoneInfoNotFoundError) as error:
        raise ValueInvalid("it must be a valid date") from error
    if moment.year < 1000:  # noqa: PLR2004 a year has four digits
        raise ValueInvalid("its year must be between 1000 and 9999")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _parse(found: str) -> moment_of:
    named = _NAMED_ZONE.match(found)
    zone = ZoneInfo(named[2]) if named else UTC
    default = moment_of(2000, 1, 1, tzinfo=zone)
    moment = parser.parse(named[1] if named else found, default=default, yearfirst=True, tzinfos=_offset)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _offset(zone: str | None, seconds: int | None) -> int | None:
    """Take an offset as it is; a short name without one (EST, IST) says too little, and dateutil would pass it over."""
    if zone is not None and seconds is None:
        raise ValueError(zone)
    return seconds


KIND = Kind(
    name="datetime",
    wire_type="datetime",
    format="datetime",
    postgres="timestamptz(3)",
    options=no_options,
    check=check,
    shown="""to_json(to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"'))""",
    width=fixed(8),
    index_width=fixed(1),
    examples=["2020-10-15T06:38:00.000+00:00", "1000-01-01T00:00:00.000+00:00", "9999-12-31T23:59:59.999+00:00"],
    rejects=["16/01/2024 12:00:00AM", "yesterday", "12024-01-01", "2024-13-01", 20240101, "2024-01-01\0", "0999-01-01"],
)
