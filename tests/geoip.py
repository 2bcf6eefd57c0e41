"""A small database of countries in MaxMind's format."""

from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

RECORDS: dict[str, object] = {
    "203.0.113.0/24": {"country": {"iso_code": "DE", "names": {"en": "Germany", "de": "Deutschland"}}},
    "2001:db8::/32": {"country": {"iso_code": "NZ", "names": {"en": "New Zealand"}}},
    "192.0.2.0/28": {"country": {"iso_code": "FR", "names": {"de": "Frankreich"}}},
    "192.0.2.16/28": {"country": {"iso_code": 7}},
    "192.0.2.32/28": {"country": "DE"},
    "192.0.2.48/28": {"city": {"names": {"en": "Paris"}}},
}


def write_countries(path: Path) -> Path:
    """Write RECORDS."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-Country")
    for network, record in RECORDS.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path
