import contextlib
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import ErrorType, Refusal
from shared.web.input import RawInput
from shared.web.parameters import CustomId, Id, Parameters


class Everything(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    table_id: Id
    row_id: CustomId
    note: str | None
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=8)] = "none"
    count: Annotated[int, msgspec.Meta(ge=0)] | None = None
    big: int = 0
    share: float = 0.0
    enabled: bool = True
    queries: list[str] = []
    data: dict[str, Any] | str | None = None


PARAMETERS = Parameters(Everything, ("tableId",))
MANDATORY: dict[str, object] = {"rowId": "unique()", "note": None}


def sent(values: dict[str, object]) -> RawInput:
    """Return what a JSON body with these values gives."""
    return RawInput({name: msgspec.Raw(msgspec.json.encode(value)) for name, value in values.items()}, is_json=True)


def parse(path: str = "t1", **values: object) -> Everything:
    parsed = PARAMETERS.parse(sent(MANDATORY | values), [path])
    assert isinstance(parsed, Everything)
    return parsed


def refused(values: dict[str, object], path: str = "t1") -> str:
    with pytest.raises(Refusal) as raised:
        PARAMETERS.parse(sent(values), [path])
    assert raised.value.type is ErrorType.GENERAL_ARGUMENT_INVALID
    return raised.value.message


def test_names_are_camel_case_and_the_path_gives_its_own() -> None:
    parsed = parse(tableId="overridden", name="x", unknown=1)

    assert (parsed.table_id, parsed.row_id, parsed.name) == ("t1", "unique()", "x")


def test_a_missing_mandatory_parameter_is_named() -> None:
    assert refused({"note": "x"}) == 'Param "rowId" is not optional.'


def test_null_for_a_mandatory_parameter_counts_as_missing() -> None:
    assert refused({"rowId": None, "note": "x"}) == 'Param "rowId" is not optional.'


def test_null_for_an_optional_parameter_counts_as_absent() -> None:
    assert parse(name=None, enabled=None, queries=None) == parse()


def test_a_mandatory_nullable_parameter_needs_its_key_but_not_a_value() -> None:
    assert parse(note=None).note is None
    assert refused({"rowId": "r"}) == 'Param "note" is not optional.'


@pytest.mark.parametrize("value", [True, 1, "1", "true"])
def test_accepts_spellings_of_true(value: object) -> None:
    assert parse(enabled=value).enabled is True


@pytest.mark.parametrize("value", [False, 0, "0", "false"])
def test_accepts_spellings_of_false(value: object) -> None:
    assert parse(enabled=value).enabled is False


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("count", "12", 12),
        ("count", 12.0, 12),
        ("big", "-9223372036854775808", -(2**63)),
        ("big", 2**63 - 1, 2**63 - 1),
        ("share", "1.5", 1.5),
        ("share", 3, 3.0),
        ("queries", ["a", "b"], ["a", "b"]),
        ("data", {"a": [1]}, {"a": [1]}),
        ("data", "null", "null"),
    ],
)
def test_values_are_read_as_their_type(name: str, value: object, read: object) -> None:
    assert getattr(parse(**{name: value}), name) == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rowId", "_x"),
        ("rowId", "x\n"),
        ("rowId", "x" * 37),
        ("rowId", ""),
        ("rowId", 5),
        ("rowId", ["x"]),
        ("name", ""),
        ("name", "x" * 9),
        ("name", True),
        ("count", -1),
        ("count", "1.5"),
        ("count", 1.5),
        ("count", " 1"),
        ("count", "1_0"),
        ("count", True),
        ("count", "٣"),
        ("big", 2**63),
        ("big", 10**30),
        ("big", str(2**63)),
        ("big", "9" * 30),
        ("share", "nan"),
        ("share", "inf"),
        ("share", "1e999"),
        ("share", 10**400),
        ("enabled", "yes"),
        ("enabled", 2),
        ("enabled", []),
        ("queries", "a"),
        ("queries", [1]),
        ("queries", {}),
        ("data", []),
        ("data", 1),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: object) -> None:
    assert refused(MANDATORY | {name: value}).startswith(f"Invalid `{name}` param: ")


def test_the_reason_is_in_words_and_not_a_regular_expression() -> None:
    assert "must contain at most 36 chars" in refused(MANDATORY | {"rowId": "$"})


@pytest.mark.parametrize("path", ["_x", "x%0A", "x\n", "", "a" * 37, "%00", "é", "a b", ".."])
def test_an_invalid_id_in_a_path_is_refused(path: str) -> None:
    assert refused(dict(MANDATORY), path).startswith("Invalid `tableId` param: ")


def test_a_path_parameter_of_a_plain_type_must_be_an_id_too() -> None:
    class Plain(msgspec.Struct):
        key: str

    parameters = Parameters(Plain, ("key",))

    assert parameters.parse(RawInput({}), ["k1"]) == Plain("k1")
    with pytest.raises(Refusal, match="Invalid `key` param"):
        parameters.parse(RawInput({}), ["_k"])


def test_the_first_fault_in_the_order_of_declaration_is_told() -> None:
    assert refused({"name": 1, "note": 2}, "_").startswith("Invalid `tableId`")
    assert refused({"name": 1, "note": 2}).startswith('Param "rowId"')
    assert refused({"name": 1, "note": 2, "rowId": "r"}).startswith("Invalid `note`")


def test_a_struct_may_refuse_what_does_not_fit_together() -> None:
    class Range(msgspec.Struct):
        low: int
        high: int

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("low is above high")

    with pytest.raises(Refusal, match="low is above high"):
        Parameters(Range, ()).parse(sent({"low": 2, "high": 1}), [])


def test_a_fault_in_reading_is_raised_when_parameters_are_asked_for() -> None:
    fault = Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, "no JSON")

    with pytest.raises(Refusal, match="no JSON"):
        PARAMETERS.parse(RawInput({}, fault), ["t1"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional={f.encode_name: JSON for f in msgspec.structs.fields(Everything)}), st.text())
def test_garbage_is_refused_or_read_but_nothing_else(values: dict[str, object], path: str) -> None:
    with contextlib.suppress(Refusal):
        PARAMETERS.parse(sent(values), [path])
