"""Transfers end with their caller's rights."""

import os

import aiohttp
import pytest

from tests.integration.storage.api import Api
from tests.integration.storage.uploads import upload

LARGE = 50_000_000
"""More bytes than lie in the sockets of both sides."""


async def test_a_download_is_broken_off_once_its_session_is_deleted(api: Api) -> None:
    ada = api.accounts.sign_in("ada")
    bucket = await api.new_bucket(permissions=['read("users")'])
    file = (await upload(api, bucket, os.urandom(LARGE))).json["$id"]
    url = f"{api.urls[0]}/v1/storage/buckets/{bucket}/files/{file}/download"
    count = 0

    async def read_on(answer: aiohttp.ClientResponse) -> None:
        nonlocal count
        async for part in answer.content.iter_any():
            count += len(part)

    async with api.http.get(url, headers={"X-Appwrite-Project": "library"} | ada) as answer:
        await answer.content.readany()
        ticket = await api.accounts.sign_out(ada)
        assert await api.guards[0].applied(ticket, 20) is not None
        with pytest.raises(aiohttp.ClientError):
            await read_on(answer)

    assert answer.status == 200
    assert count < LARGE
