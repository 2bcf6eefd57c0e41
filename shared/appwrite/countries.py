"""The countries of addresses, from a database in MaxMind's format (MMDB 2.0) that the operator provides.

Databases such as GeoLite2-Country, GeoLite2-City and DB-IP's have `country` with `iso_code` and `names`.
"""

from collections.abc import Mapping
from typing import NamedTuple

import maxminddb

LANGUAGE = "en"


class Country(NamedTuple):
    """A country: its ISO 3166 code in lower case, and its English name."""

    code: str
    name: str


UNKNOWN = Country("--", "Unknown")


class Countries:
    """Finds the country of an address; without a database, none."""

    def __init__(self, path: str | None = None) -> None:
        """Raise `ValueError`, with the reason in words, where the file cannot be read or is no such database."""
        self._reader: maxminddb.Reader | None = None
        if path is None:
            return
        try:
            self._reader = maxminddb.open_database(path)
        except OSError as error:
            raise ValueError(f"cannot read {path}: {error.strerror or error}") from error
        except maxminddb.InvalidDatabaseError as error:
            raise ValueError(f"{path} is not a database in MaxMind's format (.mmdb)") from error

    def of(self, ip: str) -> Country:
        """Return the country of an address; UNKNOWN where the database has none for it."""
        if self._reader is None:
            return UNKNOWN
        try:
            record = self._reader.get(ip)
        except (ValueError, maxminddb.InvalidDatabaseError):  # no address, or not one of the database's kind
            return UNKNOWN
        country = _mapping(record).get("country")
        code = _mapping(country).get("iso_code")
        if not isinstance(code, str) or not code:
            return UNKNOWN
        name = _mapping(_mapping(country).get("names")).get(LANGUAGE)
        return Country(code.lower(), name if isinstance(name, str) else UNKNOWN.name)

    def close(self) -> None:
        """Close the database."""
        if self._reader is not None:
            self._reader.close()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
