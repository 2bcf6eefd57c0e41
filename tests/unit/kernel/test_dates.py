"""Dates as texts: which moment each form says, and that no other text comes out as one."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.kernel.clock import wire_date
from shared.kernel.dates import parse_date

YEAR_1001, YEAR_9998 = datetime(1001, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 the tests write the offset

MOMENTS = {
    "2020-10-15": "2020-10-15T00:00:00.000",
    "2020-10-15T06:38:00.000+00:00": "2020-10-15T06:38:00.000",
    "2020-10-15T06:38": "2020-10-15T06:38:00.000",
    "2020-10-15T06:38Z": "2020-10-15T06:38:00.000",
    "2020-10-15t06:38:07z": "2020-10-15T06:38:07.000",
    "2020-10-15 06:38:07": "2020-10-15T06:38:07.000",
    "2020-10-15  06:38:07": "2020-10-15T06:38:07.000",
    "2020/10/15 06:38:07": "2020-10-15T06:38:07.000",
    "2020-10-15T06:38:07,5Z": "2020-10-15T06:38:07.500",
    "2020-10-15T06:38:07.123456789Z": "2020-10-15T06:38:07.123",
    "2020-10-15T06:38:07.9999Z": "2020-10-15T06:38:07.999",
    "1975-06-12 14:12:55+02:00": "1975-06-12T12:12:55.000",
    "1975-06-12 14:12:55 +0200": "1975-06-12T12:12:55.000",
    "1975-06-12T14:12:55+02": "1975-06-12T12:12:55.000",
    "1975-06-12T14:12:55-05:30": "1975-06-12T19:42:55.000",
    "1975-06-12T14:12:55 UTC": "1975-06-12T14:12:55.000",
    "1975-06-12 14:12:55 GMT": "1975-06-12T14:12:55.000",
    "2024-07-01 12:00:00 America/New_York": "2024-07-01T16:00:00.000",
    "2024-01-01 12:00:00 America/New_York": "2024-01-01T17:00:00.000",
    "2024-01-01 12:00:00 Etc/GMT+5": "2024-01-01T17:00:00.000",
    "2025:05:05 11:39:07": "2025-05-05T11:39:07.000",
    "20250505": "2025-05-05T00:00:00.000",
    "20250505T113907Z": "2025-05-05T11:39:07.000",
    "20250505T1139": "2025-05-05T11:39:00.000",
    "2025-05-05T24:00:00Z": "2025-05-06T00:00:00.000",
    "2025-05-05 11:39:07 PM": "2025-05-05T23:39:07.000",
    "2025-05-05 12:00 am": "2025-05-05T00:00:00.000",
    "2024-02-29": "2024-02-29T00:00:00.000",
    "1000-01-01T00:00:00Z": "1000-01-01T00:00:00.000",
    "9999-12-31T23:59:59.999Z": "9999-12-31T23:59:59.999",
}

REFUSED = [
    "", "yesterday", "now", "2025", "2025-05", "12024-01-01", "0999-12-31", "16/01/2024 12:00:00AM", "01-02-2024",
    "2025-05-05T11:39:07.087 00:00", "2025-05-05T11:39:07 02:00", "2025-05-05T11:39:07.087 05:30",
    "2025-05-05 2026-01-01", "2025-05-05T11:39:07 GMT+3", "2025-05-05T11:39:07GMT+0200", "2018-06-03T06:38:25Z-0700",
    "2018-06-03T06:38:25Z+03:00", "2016-06-01T02-01-00+00-00", "2025-05-05T13:39:07 PM", "2025-05-05T00:39:07 AM",
    "2025 10 11 12", "2025-05-05 07s", "2025-05-05 at 5pm", "2025-05-05T24:00:01Z", "2025-05-05T25:00:00Z",
    "2025-05-05T11:60:00Z", "2025-05-05T11:39:60Z", "2025-02-29", "2025-13-01", "2025-00-10", "2025-04-31",
    "2025-05-05T11:39:07 EST", "2025-05-05 +1 day", "2025-W19-1", "2025-125", "2025-05/05", "2025:05:05",
    "2025-05-05T11:39:07+15:00", "2025-05-05T11:39:07+02:60", "2025-05-05T11:39:07 Nowhere/City",
    "2025-05-05T11:39:07 ../../etc/passwd", "2024-01-01\0", "2024-01-01\n", " 2024-01-01", "٢٠٢٤-01-01",
    "0999-12-31T23:30:00-01:00Z", "1000-01-01T00:30:00+01:00", "9999-12-31T23:30:00-01:00", "9999-12-31T24:00:00Z",
    "2024-01-01T00:00:00" + "0" * 60,
]  # fmt: skip


@pytest.mark.parametrize(("text", "moment"), MOMENTS.items())
def test_a_date_is_the_moment_that_it_says(text: str, moment: str) -> None:
    assert wire_date(parse_date(text)) == f"{moment}+00:00"


@pytest.mark.parametrize("text", REFUSED)
def test_a_text_that_says_no_moment_or_more_than_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 it has no words: who reads a date has them
        parse_date(text)


@given(
    moment=st.datetimes(min_value=YEAR_1001, max_value=YEAR_9998),
    position=st.integers(0, 40),
    text=st.text(max_size=3),
)
def test_a_text_that_two_parsers_take_says_the_same_moment_to_both(moment: datetime, position: int, text: str) -> None:
    written = moment.isoformat(timespec="milliseconds") + "+00:00"
    written = written[:position] + text + written[position + len(text) :]
    try:
        ours = parse_date(written)
    except ValueError:
        return
    try:
        theirs = datetime.fromisoformat(written)
    except ValueError:
        assume(False)
        return
    assert ours == (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)).replace(
        microsecond=theirs.microsecond // 1000 * 1000
    )


@given(text=st.from_regex(re.compile(r"\A[0-9]{4}[-:/. T0-9+Z]{4,24}\Z", re.ASCII)))
def test_a_text_of_digits_and_marks_is_a_date_with_its_own_digits_or_none(text: str) -> None:
    try:
        moment = parse_date(text)
    except ValueError:
        return
    assert abs(moment.year - int(text[:4])) <= 1
