"""Rows that were changed in between, and transactions, of which there are none."""

import pytest

from tests.answer import Answer
from tests.integration.data.api import Api, Json, TableApi

CONFLICT = (409, "row_update_conflict")
LONG_AGO, FAR_AHEAD = "2001-01-01T00:00:00Z", "2101-01-01T00:00:00.000+00:00"


@pytest.fixture
async def table(api: Api) -> TableApi:
    """A table with a text and a number."""
    return await api.new_table(columns=[{"key": "text", "type": "varchar", "size": 9}, {"key": "n", "type": "integer"}])


async def call(table: TableApi, row: str, method: str, path: str, body: Json, since: str) -> Answer:
    headers = {**table.api.key, "x-appwrite-timestamp": since}
    return await table.call(method, f"/rows/{row}{path}", headers, body)


CHANGES: list[tuple[str, str, Json]] = [
    ("PATCH", "", {"data": {"text": "b"}}),
    ("PATCH", "/n/increment", {}),
    ("PATCH", "/n/decrement", {}),
    ("DELETE", "", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=str)
async def test_a_row_that_was_changed_since_is_not_changed(table: TableApi, method: str, path: str, body: Json) -> None:
    row = await table.new_row({"text": "a"})
    before = (await table.get(row)).json

    assert (await call(table, row, method, path, body, LONG_AGO)).said == CONFLICT
    assert (await table.get(row)).json == before
    assert (await call(table, row, method, path, body, "yesterday")).said == (400, "general_argument_invalid")
    assert (await call(table, row, method, path, body, before["$updatedAt"])).status in {200, 204}


async def test_a_row_that_was_not_changed_since_is_changed(table: TableApi) -> None:
    row = await table.new_row({"text": "a"})

    assert (await call(table, row, "PATCH", "", {"data": {"text": "b"}}, FAR_AHEAD)).json["text"] == "b"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", {"rowId": "unique()", "data": {"text": "a"}}),
        ("POST", "", {"rows": [{"text": "a"}]}),
        ("GET", "", {}),
        ("PUT", "", {"rows": [{"text": "a"}]}),
        ("PATCH", "", {"data": {"text": "a"}}),
        ("DELETE", "", {}),
        ("GET", "/some", {}),
        ("PUT", "/some", {"data": {"text": "a"}}),
        *((method, f"/some{path}", body) for method, path, body in CHANGES),
    ],
    ids=str,
)
async def test_nothing_happens_in_a_transaction_that_is_not_there(
    table: TableApi, method: str, path: str, body: Json
) -> None:
    answer = await table.call(method, f"/rows{path}", body={"transactionId": "some", **body})

    assert answer.said == (404, "transaction_not_found")
    assert (await table.list()).json["total"] == 0
