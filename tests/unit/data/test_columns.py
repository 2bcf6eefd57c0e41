"""Every kind of column, by the values that it names: what it takes, what it refuses, how much room it takes."""

from datetime import datetime

import pytest

from services.data.domain.columns import ALL, INLINE, KINDS
from services.data.domain.columns.kind import Kind, Options, ValueInvalid
from services.data.domain.columns.url import SIZE as LONGEST_URL
from shared.kernel.clock import wire_date
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal

kinds = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)


@kinds
def test_a_kind_takes_its_examples_as_they_are(kind: Kind) -> None:
    options = kind.options(kind.declared)
    for example in kind.examples:
        checked = kind.check(example, options)

        assert (wire_date(checked) if isinstance(checked, datetime) else checked) == example


@kinds
def test_a_kind_refuses_what_is_no_value_of_it_and_says_why(kind: Kind) -> None:
    options = kind.options(kind.declared)
    for reject in [*kind.rejects, None, {}, [], [kind.examples[0]]]:
        with pytest.raises(ValueInvalid, match=r"^it must "):
            kind.check(reject, options)


@kinds
def test_a_kind_completes_its_options_once(kind: Kind) -> None:
    completed = kind.options(kind.declared)

    assert kind.options(completed) == completed
    assert kind.width(completed) > 0
    assert kind.index_width(completed) > 0


def test_each_kind_has_a_name_of_its_own_and_can_be_declared_inline() -> None:
    assert len(KINDS) == len(ALL)
    assert {INLINE[name] for name in INLINE} == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "refused", "taken"),
    [
        ("string", [0, -1, 1_073_741_825, None], [1, 1_073_741_824]),
        ("varchar", [0, -1, 16_382, None], [1, 16_381]),
    ],
)
def test_a_size_has_bounds(kind: str, refused: list[int | None], taken: list[int]) -> None:
    for size in refused:
        with pytest.raises(ArgumentInvalid):
            KINDS[kind].options(Options(size=size))
    assert [KINDS[kind].options(Options(size=size)).size for size in taken] == taken


@pytest.mark.parametrize("kind", ["string", "varchar"])
def test_a_size_counts_characters(kind: str) -> None:
    options = KINDS[kind].options(Options(size=3))

    assert KINDS[kind].check("日本語", options) == "日本語"
    with pytest.raises(ValueInvalid):
        KINDS[kind].check("日本語!", options)


@pytest.mark.parametrize(("kind", "most"), [("text", 65_535), ("mediumtext", 16_777_215)])
def test_a_long_text_counts_bytes(kind: str, most: int) -> None:
    fits = "ü" * (most // 2) + "a" * (most % 2)

    assert KINDS[kind].check(fits, Options()) == fits
    with pytest.raises(ValueInvalid):
        KINDS[kind].check(fits + "a", Options())


@pytest.mark.parametrize("kind", ["integer", "bigint", "float"])
def test_bounds_are_inclusive_and_complete(kind: str) -> None:
    options = KINDS[kind].options(Options(min=1))

    assert KINDS[kind].check(1, options) == 1
    assert options.max is not None
    with pytest.raises(ValueInvalid, match="between 1 and "):
        KINDS[kind].check(0, options)
    assert KINDS[kind].check(5, KINDS[kind].options(Options(min=5, max=5))) == 5
    with pytest.raises(Refusal) as refused:
        KINDS[kind].options(Options(min=5, max=1))
    assert refused.value.type is ErrorType.COLUMN_VALUE_INVALID


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_float_is_finite(value: float) -> None:
    with pytest.raises(ValueInvalid):
        KINDS["float"].check(value, KINDS["float"].options(Options()))


@pytest.mark.parametrize("kind", ["integer", "bigint"])
@pytest.mark.parametrize("value", [-(2**63), 2**63 - 1])
def test_an_integer_has_64_bits(kind: str, value: int) -> None:
    options = KINDS[kind].options(Options())

    assert (options.min, options.max) == (-(2**63), 2**63 - 1)
    assert KINDS[kind].check(value, options) == value
    with pytest.raises(ValueInvalid):
        KINDS[kind].check(value + (1 if value > 0 else -1), options)


def test_an_integer_may_be_written_in_digits_for_a_bigint_only() -> None:
    assert KINDS["bigint"].check("9007199254740993", KINDS["bigint"].options(Options())) == 2**53 + 1
    with pytest.raises(ValueInvalid):
        KINDS["integer"].check("5", KINDS["integer"].options(Options()))


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("1975-06-12 14:12:55+02:00", "1975-06-12T12:12:55.000+00:00"),
        ("1975-06-12T14:12:55Z", "1975-06-12T14:12:55.000+00:00"),
        ("1975-06-12T14:12:55.123987Z", "1975-06-12T14:12:55.123+00:00"),
        ("1975-06-12T14:12:55 UTC", "1975-06-12T14:12:55.000+00:00"),
        ("1990-05-17", "1990-05-17T00:00:00.000+00:00"),
        ("1990-05-17 08:09:10", "1990-05-17T08:09:10.000+00:00"),
        ("2000-01-01 00:00:00 America/New_York", "2000-01-01T05:00:00.000+00:00"),
        ("2000-07-01 00:00:00 Europe/Berlin", "2000-06-30T22:00:00.000+00:00"),
    ],
)
def test_a_date_is_kept_in_utc_to_the_millisecond(given: str, stored: str) -> None:
    assert wire_date(KINDS["datetime"].check(given, Options())) == stored


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "2024-01-01 America/Argentina",
        "2024-01-01 america/new_york",
        "2024-01-01 00:00:00 EST",
        "2024-01-01 00:00:00 -23:59" + "0" * 30,
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "2024-02-30",
        "2024-01-01T25:00:00Z",
        "2024-01-01T00:00:00+99:00",
        "2024-01-01 00:00:00 No/Where",
        "2024-01-01 00:00:00 ../../etc/passwd",
        "2024-01-01 00:00:00 /etc/passwd",
        "2024-01-01 00:00:00 A" + "/A" * 300,
        "\uff12\uff10\uff12\uff14-01-01",
        "2024-01-01'; DROP TABLE x --",
        "2024-" + "1" * 5_000,
        "2024-01-01" + "0" * 5_000,
    ],
    ids=lambda value: value[:40],
)
def test_an_invalid_date_is_refused_and_nothing_else_is_raised(value: str) -> None:
    with pytest.raises(ValueInvalid):
        KINDS["datetime"].check(value, Options())


@pytest.mark.parametrize(
    "elements", [(), ("",), ("a", ""), ("a" * 256,), ("a",) * 101, ("a\0",)], ids=lambda e: f"{e!s:.20}"
)
def test_an_enum_has_elements_of_a_length(elements: tuple[str, ...]) -> None:
    with pytest.raises(Refusal):
        KINDS["enum"].options(Options(elements=elements))


def test_a_url_has_a_length() -> None:
    start = "https://example.org/"
    longest = start + "a" * (LONGEST_URL - len(start))

    assert KINDS["url"].check(longest, Options(size=LONGEST_URL)) == longest
    with pytest.raises(ValueInvalid):
        KINDS["url"].check(longest + "a", Options(size=LONGEST_URL))


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "//example.org", "http:///x", "http://[::1", "http://a\nb", "1http://example.org"]
)
def test_a_url_has_a_scheme_and_a_host(value: str) -> None:
    with pytest.raises(ValueInvalid):
        KINDS["url"].check(value, Options(size=LONGEST_URL))
