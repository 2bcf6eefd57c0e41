"""Clocks: one that never stands still or steps, for leases; the calendar, for people."""

import time
from datetime import UTC, datetime


def boot_clock() -> float:
    """Seconds since boot, counting suspension; leases are measured on it and on nothing else.

    CLOCK_MONOTONIC stands still while a machine sleeps, and a wall clock steps: a lease on either could outlive
    its promise. Where the system has no CLOCK_BOOTTIME (macOS), CLOCK_MONOTONIC there does count sleep.
    """
    return time.clock_gettime(_BOOTTIME)


_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> datetime:
    """Return the current time in UTC, cut to milliseconds: the precision of everything that is stored or shown."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def wire_date(moment: datetime | None) -> str:
    """Write a time as Appwrite does: `2020-10-15T06:38:00.000+00:00`; an unset one is an empty string."""
    if moment is None:
        return ""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+00:00"
