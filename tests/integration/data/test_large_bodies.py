"""Large rows are taken of those who may write them."""

import pytest

from tests.accounts import GUEST, Headers, secret_of
from tests.integration.data.api import Api, Json, TableApi

KIB = 1024
LARGE: Json = {"text": "x" * 200 * KIB}
SMALL: Json = {"text": "x"}
TOO_LARGE = (413, "general_payload_too_large")
TEXT = {"key": "text", "type": "longtext"}


@pytest.fixture
def ada(api: Api) -> Headers:
    return api.accounts.sign_in(api.new_id("ada"))


async def table(api: Api, *permissions: str) -> TableApi:
    return await api.new_table(columns=[TEXT], permissions=list(permissions), rowSecurity=True)


async def test_a_large_row_is_taken_of_who_may_create_it(api: Api, ada: Headers) -> None:
    rows = await table(api, 'create("users")')

    assert (await rows.create(LARGE, ada)).status == 201
    assert (await rows.create(LARGE)).status == 201
    assert (await rows.create(LARGE, GUEST)).said == TOO_LARGE
    assert (await rows.create(SMALL, GUEST)).said == (401, "user_unauthorized")


async def test_a_large_change_is_taken_of_who_may_change_some_row(api: Api, ada: Headers) -> None:
    rows = await table(api)
    other = api.accounts.sign_in(api.new_id("eve"))
    row = await rows.new_row(SMALL, f'update("user:{secret_of(ada).id}")')

    assert (await rows.update(row, {"data": LARGE}, ada)).status == 200
    assert (await rows.update(row, {"data": LARGE})).status == 200
    assert (await rows.update(row, {"data": LARGE}, other)).said == TOO_LARGE
    assert (await rows.update(row, {"data": LARGE}, GUEST)).said == TOO_LARGE
    assert (await rows.create(LARGE, ada)).said == TOO_LARGE


async def test_a_large_upsert_is_taken_of_who_may_do_either(api: Api, ada: Headers) -> None:
    rows = await table(api, 'create("guests")', 'update("users")')

    for caller in (ada, GUEST):
        assert (await rows.call("PUT", f"/rows/{api.new_id('row')}", caller, {"data": LARGE})).said != TOO_LARGE


async def test_a_missing_table_takes_no_large_body(api: Api, ada: Headers) -> None:
    rows = await table(api)
    nowhere = TableApi(api=api, database=rows.database, table="nowhere")

    assert (await nowhere.create(LARGE, ada)).said == TOO_LARGE


async def test_a_right_to_create_is_known_on_every_replica_at_once(api: Api, ada: Headers) -> None:
    rows = await table(api)
    for replica in (0, 1):
        assert (await rows.create(LARGE, ada, replica=replica)).said == TOO_LARGE
    opened = {"name": "Open", "permissions": ['create("users")']}
    assert (await rows.call("PUT", "", body=opened)).status == 200

    for replica in (0, 1):
        assert (await rows.create(LARGE, ada, replica=replica)).status == 201


async def test_many_elements_are_looked_at_like_few(api: Api, ada: Headers) -> None:
    columns = [{"key": f"c{n}", "type": "integer", "array": True} for n in range(4)]
    rows = await api.new_table(columns=columns, permissions=['create("users")', 'update("users")', 'read("users")'])
    many: Json = {f"c{n}": list(range(10_000)) for n in range(4)}
    bad = many | {"c3": [*range(9_999), "x"]}

    made = await rows.create(many, ada, row_id="one")
    assert {key: made.json[key] for key in many} == many
    assert (await rows.create(bad, ada)).said == (400, "row_invalid_structure")
    assert (await rows.update("one", {"data": bad}, ada)).said == (400, "row_invalid_structure")
    assert (await rows.update("one", {"data": many}, ada)).json == made.json
    assert (await rows.call("PUT", "/rows/one", ada, {"data": many | {"c0": [1]}})).json["c0"] == [1]
    bulk = await rows.call("PUT", "/rows", body={"rows": [many | {"$id": "one"}, many | {"$id": "two"}]})
    assert [row["c0"] for row in bulk.json["rows"]] == [many["c0"]] * 2
    assert (await rows.call("PATCH", "/rows", body={"data": bad})).said == (400, "row_invalid_structure")
