import tracemalloc

import msgspec
import pytest

from shared.web.input import Names

MIB = 1024 * 1024
NAMES = Names(["data", "note"])

HOSTILE = {
    "lists under a name that is not declared": b'{"a":[' + b"[]," * (MIB // 3) + b"1]}",
    "lists under one that is": b'{"data":[' + b"[]," * (MIB // 3) + b"1]}",
    "many names": b"{" + b",".join(b'"%x":[]' % number for number in range(MIB // 10)) + b"}",
    "one name again and again": b"{" + b'"data":[],' * (MIB // 10) + b'"note":1}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_nothing_is_made_of_a_body_but_the_parameters_that_are_declared(body: bytes) -> None:
    tracemalloc.start()
    try:
        found = NAMES.find(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert set(found) <= {"data", "note"}
    assert peak < len(body) / 10


def test_a_declared_parameter_stays_json() -> None:
    found = NAMES.find(b'{"note": {"a": [1, 2]}, "other": 1, "project": "p"}')

    assert found == {"note": msgspec.Raw(b'{"a": [1, 2]}'), "project": msgspec.Raw(b'"p"')}
