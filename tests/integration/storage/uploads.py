"""Uploads, as the SDKs make them."""

import io
from typing import Any

import aiohttp

from tests.accounts import GUEST, Headers
from tests.integration.storage.api import Answer, Api


async def upload(
    api: Api,
    bucket: str,
    content: bytes,
    caller: Headers | None = None,
    *,
    file_id: str = "",
    name: str = "a.bin",
    headers: Headers = GUEST,
    **fields: Any,
) -> Answer:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("fileId", file_id or api.new_id("file"))
    for field, value in fields.items():
        for place, one in enumerate(value if isinstance(value, list) else [value]):
            form.add_field(f"{field}[{place}]" if isinstance(value, list) else field, one)
    form.add_field("file", io.BytesIO(content), filename=name)
    await api.guards[0].reader.until_leased(20)
    sent = {"X-Appwrite-Project": "library"} | (api.key if caller is None else caller) | headers
    url = f"{api.urls[0]}/v1/storage/buckets/{bucket}/files"
    async with api.http.post(url, data=form, headers=sent) as answer:
        return await Answer.of(answer)
