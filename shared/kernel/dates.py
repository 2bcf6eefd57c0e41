"""Dates as people write them: a grammar that takes no text for a moment that the text does not say.

ISO 8601 in its extended and basic form, with a space for the `T`; slashes for the hyphens; EXIF's form
`2025:05:05 11:39:07`; a time of 1 to 12 with AM or PM; an offset, or a zone by its name. Everything else is refused.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MAX_LENGTH = 64
HOURS = 24
NOON = 12
MINUTES = 60
MAX_OFFSET_HOURS = 14

_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)([.,](?P<fraction>\d{1,9}))?)?(\s?(?P<half>[AaPp])[Mm])?"
_ZONE = r"""(
    (?P<utc>[Zz]|\s?(UTC|GMT)) | \s?(?P<sign>[+-])(?P<hours>\d\d)(:?(?P<minutes>\d\d))?
    | \s(?P<name>[A-Za-z]+(/[A-Za-z0-9_+-]+)+)
)?"""
_FORMS = [
    re.compile(form + r"\Z", re.ASCII | re.VERBOSE)
    for form in (
        rf"(?P<year>\d{{4}})(?P<mark>[-/])(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(([Tt]|\s+){_TIME}{_ZONE})?",
        rf"(?P<year>\d{{4}}):(?P<month>\d\d):(?P<day>\d\d)\s{_TIME}{_ZONE}",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
        rf"([Tt](?P<hour>\d\d)(?P<minute>\d\d)((?P<second>\d\d)([.,](?P<fraction>\d{{1,9}}))?)?(?P<half>){_ZONE})?",
    )
]


def parse_date(text: str) -> datetime:
    """Return the moment of a date, in UTC, cut to milliseconds; without an offset or a zone it is taken as UTC.

    Raises `ValueError` for what is no such date, and for a year before 1000.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError
    parts = next((match for form in _FORMS if (match := form.match(text)) is not None), None)
    if parts is None:
        raise ValueError
    year, month, day = (int(parts[name]) for name in ("year", "month", "day"))
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    if parts["half"]:
        if not 1 <= hour <= NOON:
            raise ValueError
        hour = hour % NOON + (NOON if parts["half"] in "Pp" else 0)
    milliseconds = int((parts["fraction"] or "").ljust(3, "0")[:3])
    is_midnight_after = hour == HOURS and minute == second == milliseconds == 0
    try:
        moment = datetime(
            year, month, day, 0 if is_midnight_after else hour, minute, second, milliseconds * 1000, _zone(parts)
        )
        moment = (moment + timedelta(days=is_midnight_after)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError from error
    if moment.year < 1000:  # noqa: PLR2004 a year has four digits
        raise ValueError
    return moment


def _zone(parts: re.Match[str]) -> tzinfo:
    if parts["sign"]:
        hours, minutes = int(parts["hours"]), int(parts["minutes"] or 0)
        if minutes >= MINUTES or hours * MINUTES + minutes > MAX_OFFSET_HOURS * MINUTES:
            raise ValueError
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if parts["sign"] == "-" else offset)
    if parts["name"]:
        try:
            return ZoneInfo(parts["name"])
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError from error
    return UTC
