"""Full-text indexes, and the search that needs them."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.data.api import Api, Json, TableApi, query

BAD_QUERY = (400, "general_query_invalid")
TEXTS: list[str | None] = [
    "Captain America: the first Avenger",
    "the winter soldier",
    "cap-and-trade; O'Brien's café",
    None,
    "first the soldier, then the captain",
]


@pytest.fixture(scope="module")
async def texts(api: Api) -> TableApi:
    """A table of texts with a full-text index; no test changes it."""
    table = await api.new_table(
        columns=[{"key": "text", "type": "longtext"}, {"key": "other", "type": "text"}],
        indexes=[
            {"key": "in_text", "type": "fulltext", "attributes": ["text"]},
            {"key": "in_both", "type": "fulltext", "attributes": ["other", "text"]},
        ],
    )
    for text in TEXTS:
        await table.new_row({"text": text})
    return table


@pytest.mark.check("data 91")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("captain", [0, 4]),
        ("CAPT", [0, 4]),
        ("cap", [0, 2, 4]),
        ("cap soldier", [1, 2, 4]),
        ("soldier cap", [0, 1, 2, 4]),
        ('"the soldier"', [4]),
        ('"winter soldier"', [1]),
        ('"winter sold"', []),
        ("café", [2]),
        ("O'Brien", [2]),
        ("first & !captain | (", [0, 4]),
        ("avenger':*", [0]),
        ("merica", []),
        ("", []),
        ("!?&", []),
        ('""', []),
        ('"', []),
        ("x" * 3_000, []),
    ],
)
async def test_a_search_finds_words_and_phrases(texts: TableApi, text: str, expected: list[int]) -> None:
    assert await texts.found(query("search", "text", text), column="text") == [TEXTS[place] for place in expected]
    others = [each for place, each in enumerate(TEXTS) if place not in expected]
    assert await texts.found(query("notSearch", "text", text), column="text") == others


@pytest.mark.check("data 91")
@pytest.mark.parametrize(
    ("attribute", "values"), [("other", ["a"]), ("text", []), ("text", ["a", "b"]), ("text", [1]), ("$id", ["a"])]
)
async def test_a_search_needs_a_text_and_an_index_of_its_column_alone(
    texts: TableApi, attribute: str, values: list[object]
) -> None:
    assert (await texts.list(query("search", attribute, *values))).said == BAD_QUERY
    assert (await texts.list(query("notSearch", attribute, *values))).said == BAD_QUERY


PUNCTUATED = [
    "write to ada@example.com about 1.9.6",
    "https://www.example.org/docs/page.html?a=b&c=d",
    "report-2024.final.pdf",
    "pi is 3.14, not -3.15e7",
    "call +49-151-1234567 and/or 978-3-16-148410-0",
    "/usr/local/bin/python3 &amp; snake_case_name",
    "192.168.0.1:8080 C++ #tag @name $HOME",
    "ΑΘΗΝΑΣ, Łódź; Übergröße: ÑANDÚ",
]


@pytest.fixture(scope="module")
async def punctuated(api: Api) -> TableApi:
    """A table of texts with addresses, versions, paths and names of files; no test changes it."""
    index = {"key": "in_words", "type": "fulltext", "attributes": ["text"]}
    table = await api.new_table(columns=[{"key": "text", "type": "longtext"}], indexes=[index])
    for text in PUNCTUATED:
        await table.new_row({"text": text})
    return table


@pytest.mark.parametrize("text", PUNCTUATED)
async def test_a_row_is_found_by_its_own_text_and_by_each_of_its_words(punctuated: TableApi, text: str) -> None:
    for search in [text, f'"{text}"', *text.split(), *re.findall(r"[^\W_]+", text)]:
        if re.search(r"\w", search):
            assert text in await punctuated.found(query("search", "text", search), column="text"), search
            assert text not in await punctuated.found(query("notSearch", "text", search), column="text"), search


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
async def test_no_text_is_beyond_a_search(texts: TableApi, text: str) -> None:
    assert (await texts.list(query("search", "text", text))).status == 200


async def test_a_search_is_served_by_its_index(api: Api, texts: TableApi) -> None:
    definition = await api.pool.fetchval(
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'i_' || (SELECT n FROM data.indexes WHERE key = 'in_text')"
    )

    assert "USING gin" in definition


@pytest.mark.check("data 51")
@pytest.mark.parametrize(
    "parameters", [{"columns": ["age"]}, {"columns": ["$id"]}, {"columns": ["text", "age"]}], ids=str
)
async def test_a_full_text_index_is_for_texts(api: Api, parameters: Json) -> None:
    table = await api.new_table()
    await table.add_column("integer", "age")

    answer = await table.call("POST", "/indexes", body={"key": "own", "type": "fulltext", **parameters})

    assert answer.said == (400, "column_index_invalid")


async def test_a_full_text_index_takes_texts_of_any_length_and_goes_again(api: Api) -> None:
    table = await api.new_table(columns=[{"key": "text", "type": "longtext"}])
    made = await table.call("POST", "/indexes", body={"key": "own", "type": "fulltext", "columns": ["text"]})
    long = " ".join(f"{n:x}" for n in range(150_000))

    row = await table.new_row({"text": long})
    found = await table.found(query("search", "text", "1f"))
    gone = await table.call("DELETE", "/indexes/own")

    assert (made.status, made.json["status"], made.json["type"]) == (202, "available", "fulltext")
    assert found == [row]
    assert gone.status == 204
    assert (await table.list(query("search", "text", "1f"))).said == BAD_QUERY
