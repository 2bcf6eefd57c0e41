"""Buckets over HTTP: created, shown, listed, changed and deleted, by keys alone."""

from typing import Any

import pytest

from tests.accounts import GUEST
from tests.integration.storage.api import MOST_FILE_BYTES, Api, Json
from tests.wire import query

INVALID = (400, "general_argument_invalid")

DEFAULTS = {
    "name": "A bucket",
    "$permissions": [],
    "fileSecurity": False,
    "enabled": True,
    "maximumFileSize": MOST_FILE_BYTES,
    "allowedFileExtensions": [],
    "compression": "none",
    "encryption": True,
    "antivirus": False,
    "transformations": True,
    "totalSize": 0,
}

CHOSEN: Json = {
    "name": "Photos",
    "permissions": ['read("any")', 'write("users")'],
    "fileSecurity": True,
    "enabled": False,
    "maximumFileSize": 1000,
    "allowedFileExtensions": ["JPG", "png", "jpg"],
    "compression": "zstd",
    "encryption": False,
    "antivirus": True,
    "transformations": False,
}

SHOWN = {name: value for name, value in CHOSEN.items() if name not in {"permissions", "antivirus"}} | {
    "$permissions": ['read("any")', 'create("users")', 'update("users")', 'delete("users")'],
    "allowedFileExtensions": ["jpg", "png"],
    "antivirus": False,
}


async def test_a_new_bucket_has_defaults(api: Api) -> None:
    bucket = api.new_id("bucket")
    answer = await api.call("POST", "", body={"bucketId": bucket, "name": "A bucket"})

    assert answer.status == 201
    assert answer.json == answer.json | DEFAULTS | {"$id": bucket}
    assert answer.json["$createdAt"] == answer.json["$updatedAt"]


async def test_a_bucket_is_what_was_asked_for_and_any_replica_shows_it(api: Api) -> None:
    bucket = await api.new_bucket(**CHOSEN)
    answer = await api.call("GET", f"/{bucket}", replica=1)

    assert answer.json == answer.json | SHOWN


@pytest.mark.check("storage 15")
async def test_an_id_is_used_once_and_again_after_the_bucket_is_deleted(api: Api) -> None:
    bucket = await api.new_bucket()
    body = {"bucketId": bucket, "name": "Again"}

    assert (await api.call("POST", "", body=body)).said == (409, "storage_bucket_already_exists")
    assert (await api.call("DELETE", f"/{bucket}")).status == 204
    assert (await api.call("POST", "", body=body)).status == 201


async def test_another_project_has_buckets_of_its_own(api: Api) -> None:
    bucket = await api.new_bucket()

    assert (await api.call("GET", f"/{bucket}", project="archive")).said == (404, "storage_bucket_not_found")
    assert (await api.call("DELETE", f"/{bucket}", project="archive")).said == (404, "storage_bucket_not_found")
    body = {"bucketId": bucket, "name": "Another"}
    assert (await api.call("POST", "", body=body, project="archive")).status == 201


async def test_a_change_resets_what_it_leaves_out_but_permissions(api: Api) -> None:
    bucket = await api.new_bucket(**CHOSEN)
    changed = await api.call("PUT", f"/{bucket}", body={"name": "A bucket"}, replica=1)
    cleared = await api.call("PUT", f"/{bucket}", body={"name": "A bucket", "permissions": []})

    assert changed.status == 200
    assert changed.json == changed.json | DEFAULTS | {"$permissions": SHOWN["$permissions"]}
    assert cleared.json["$permissions"] == []


async def test_what_is_not_there_is_404(api: Api) -> None:
    bucket = await api.new_bucket()
    assert (await api.call("DELETE", f"/{bucket}")).status == 204

    for method, body in (("GET", None), ("PUT", {"name": "A"}), ("DELETE", None)):
        assert (await api.call(method, f"/{bucket}", body=body)).said == (404, "storage_bucket_not_found"), method


@pytest.mark.check("storage 15")
@pytest.mark.parametrize(
    "options",
    [
        {"name": ""},
        {"name": "x" * 129},
        {"bucketId": "_a"},
        {"bucketId": "x" * 37},
        {"bucketId": "../a"},
        {"maximumFileSize": 0},
        {"maximumFileSize": MOST_FILE_BYTES + 1},
        {"maximumFileSize": 2**70},
        {"maximumFileSize": "many"},
        {"allowedFileExtensions": [""]},
        {"allowedFileExtensions": ["x" * 65]},
        {"allowedFileExtensions": ["x"] * 101},
        {"compression": "brotli"},
        {"permissions": ["read(any)"]},
        {"permissions": ["nothing"]},
        {"fileSecurity": "perhaps"},
    ],
)
async def test_options_that_cannot_be_are_refused(api: Api, options: Json) -> None:
    body = {"bucketId": api.new_id("bucket"), "name": "A bucket"} | options

    assert (await api.call("POST", "", body=body)).said == INVALID


async def test_clients_and_keys_without_the_scope_are_refused(api: Api) -> None:
    bucket = await api.new_bucket(permissions=['write("any")', 'read("any")'])
    callers = (GUEST, api.accounts.sign_in("ada"), api.accounts.make_key("files.read", "files.write"))
    attempts: list[tuple[str, str, Any]] = [
        ("POST", "", {"bucketId": "unique()", "name": "A"}),
        ("GET", "", None),
        ("GET", f"/{bucket}", None),
        ("PUT", f"/{bucket}", {"name": "A"}),
        ("DELETE", f"/{bucket}", None),
    ]

    for caller in callers:
        for method, path, body in attempts:
            assert (await api.call(method, path, caller, body)).said == (401, "general_unauthorized_scope")


@pytest.mark.check("storage 15")
async def test_lists_are_filtered_searched_and_paged(api: Api) -> None:
    word = api.new_id("word")
    names = [f"{word} {number}" for number in range(4)]
    ids = [await api.new_bucket(name=name, enabled=bool(place % 2)) for place, name in enumerate(names)]

    async def listed(*queries: str, **parameters: Any) -> list[str]:
        answer = await api.call("GET", "", body={"queries": list(queries), "search": word, **parameters})
        assert answer.status == 200, answer
        return [bucket["$id"] for bucket in answer.json["buckets"]]

    assert await listed() == ids
    assert await listed(query("equal", "enabled", True)) == [ids[1], ids[3]]
    assert await listed(query("equal", "name", names[2])) == [ids[2]]
    assert await listed(query("equal", "antivirus", True)) == []
    assert await listed(query("orderDesc", "name"), query("limit", None, 2)) == [ids[3], ids[2]]
    assert await listed(query("cursorAfter", None, ids[1])) == ids[2:]
    assert await listed(search=f"{word} 3") == [ids[3]]
    for total, shown in ((True, 4), (False, 0)):
        answer = await api.call("GET", "", body={"search": word, "total": total})
        assert answer.json["total"] == shown


async def test_queries_of_anything_else_are_refused(api: Api) -> None:
    other = await api.call("POST", "", body={"bucketId": "only-there", "name": "Another"}, project="archive")
    assert other.status == 201

    for bad in (query("equal", "permissions", "a"), query("select", None, "name"), "no query"):
        assert (await api.call("GET", "", body={"queries": [bad]})).said == INVALID
    cursor = await api.call("GET", "", body={"queries": [query("cursorAfter", None, "only-there")]})
    assert cursor.said == (400, "general_cursor_not_found")
