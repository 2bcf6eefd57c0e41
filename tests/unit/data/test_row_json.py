import tracemalloc

import msgspec
import pytest

from services.data.domain.row_json import MAX_NAMES, NO_VALUE, parse_data, parse_list
from shared.kernel.errors import ArgumentInvalid, Refusal

MIB = 1024 * 1024


def raw(text: bytes) -> msgspec.Raw:
    return msgspec.Raw(text)


@pytest.mark.parametrize(
    ("sent", "data"),
    [
        (b"null", None),
        (b"{}", {}),
        (b"[]", {}),
        (b'{"a":1,"b":[1,"x",null,true,1.5]}', {"a": 1, "b": [1, "x", None, True, 1.5]}),
        (rb'"{\"a\":1}"', {"a": 1}),
        (b'{"a":1,"b":{"c":1},"c":[[1]],"d":[{}],"e":1e999}', {"a": 1} | dict.fromkeys("bcde", NO_VALUE)),
    ],
)
def test_a_value_that_no_column_holds_is_not_decoded(sent: bytes, data: object) -> None:
    assert parse_data(raw(sent)) == data


@pytest.mark.parametrize(
    "sent", [b"[1]", b"1", b'"x"', b'"null"', b'"[]"', b'"\\ud800"', b'{"a":"\xff"}', b'{"a":"\\ud800"}']
)
def test_a_value_that_is_no_object_is_refused(sent: bytes) -> None:
    with pytest.raises(ArgumentInvalid):
        parse_data(raw(sent))


@pytest.mark.parametrize("sent", [b"{}", b"[1]", b"[[]]", b"[null]", b"[" + b",".join([b"{}"] * 101) + b"]"])
def test_an_invalid_list_of_objects_is_refused(sent: bytes) -> None:
    with pytest.raises(ArgumentInvalid):
        parse_list(raw(sent))


def test_a_list_of_no_rows_is_refused() -> None:
    with pytest.raises(Refusal, match="missing"):
        parse_list(raw(b"[]"))


def test_a_hundred_rows_are_read() -> None:
    assert parse_list(raw(b"[" + b",".join([b'{"a":1}'] * 100) + b"]")) == [{"a": 1}] * 100


NAMES = [b'"a%d":[]', b'"a%d" :[]', b'"a%d\\"" : []', b'"a%d\\\\":[]', b'"%d:":""']


@pytest.mark.parametrize("name", NAMES)
def test_a_row_has_no_more_names_than_a_table_has_columns(name: bytes) -> None:
    sent = b"{" + b",".join(name % number for number in range(200_000)) + b"}"

    tracemalloc.start()
    try:
        with pytest.raises(ArgumentInvalid):
            parse_data(raw(sent))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2 * len(sent)


def test_a_row_may_have_texts_with_many_colons_and_quotes() -> None:
    inner = msgspec.json.encode([{"name": f'"{number}" :'} for number in range(50_000)]).decode()
    data = {f"c{number}": "x" for number in range(MAX_NAMES - 1)} | {"text": inner}

    assert parse_data(raw(msgspec.json.encode(data))) == data


HOSTILE = {
    "arrays": b"[],",
    "objects": b"{},",
    "arrays of arrays": b"[[]],",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_nothing_is_made_of_values_that_no_column_holds(unit: bytes) -> None:
    sent = raw(b'{"a":[' + unit * (MIB // len(unit)) + b"1]}")

    tracemalloc.start()
    try:
        parse_data(sent)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2 * MIB
