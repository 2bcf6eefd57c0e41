"""Countries of addresses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.appwrite.countries import UNKNOWN, Countries, Country
from tests.geoip import write_countries


@pytest.fixture
def countries(tmp_path: Path) -> Iterator[Countries]:
    opened = Countries(str(write_countries(tmp_path / "countries.mmdb")))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("ip", "country"),
    [
        ("203.0.113.9", Country("de", "Germany")),
        ("2001:db8::7", Country("nz", "New Zealand")),
        ("192.0.2.1", Country("fr", "Unknown")),
        ("192.0.2.17", UNKNOWN),
        ("192.0.2.33", UNKNOWN),
        ("192.0.2.49", UNKNOWN),
        ("127.0.0.1", UNKNOWN),
        ("", UNKNOWN),
        ("nonsense", UNKNOWN),
    ],
)
def test_a_country_is_that_of_the_database(countries: Countries, ip: str, country: Country) -> None:
    assert countries.of(ip) == country


def test_without_a_database_no_country_is_known() -> None:
    assert Countries().of("203.0.113.9") == UNKNOWN == ("--", "Unknown")


@pytest.mark.parametrize("content", [b"", b"nonsense" * 1000], ids=["empty", "nonsense"])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "countries.mmdb"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=r"countries\.mmdb is not a database in MaxMind's format"):
        Countries(str(path))


def test_a_database_that_was_not_written_to_its_end_is_refused(tmp_path: Path) -> None:
    path = write_countries(tmp_path / "countries.mmdb")
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(ValueError, match="is not a database"):
        Countries(str(path))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*/none\.mmdb: No such file or directory"):
        Countries(str(tmp_path / "none.mmdb"))
