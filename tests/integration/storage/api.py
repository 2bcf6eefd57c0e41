"""Calls to running replicas of storage."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from shared.guard.guard import Guard
from shared.messaging.bus import Bus
from shared.postgres.pool import Pool
from tests.accounts import Accounts, Headers
from tests.answer import Answer
from tests.wire import pairs

__all__ = ["MOST_FILE_BYTES", "Answer", "Api", "Json"]

Json = dict[str, Any]

MOST_FILE_BYTES = 300 * 1024 * 1024
"""Of the replicas of the tests."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """Storage's replicas by their addresses, and who may call them.

    `pool` is storage's own view of the database, `feed` auth's; `as_auth` is auth's end of the bus.
    """

    http: aiohttp.ClientSession
    urls: list[str]
    guards: list[Guard]
    accounts: Accounts
    pool: Pool
    feed: Pool
    key: Headers
    as_auth: Bus
    folder: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_id(self, prefix: str) -> str:
        """Return an id that no other test has."""
        return f"{prefix}-{next(self.numbers)}"

    async def call(
        self,
        method: str,
        path: str,
        caller: Headers | None = None,
        body: Json | None = None,
        *,
        replica: int = 0,
        project: str = "library",
    ) -> Answer:
        """Call a path below `/v1/storage/buckets`, as the key with all scopes unless another caller is named.

        The body of a GET goes into its query; a list there as the SDKs write it.
        """
        headers = {"X-Appwrite-Project": project} | (self.key if caller is None else caller)
        url = f"{self.urls[replica]}/v1/storage/buckets{path}"
        if method == "GET":
            url += f"?{urlencode(list(pairs(body or {})))}"
        sent = None if method == "GET" or body is None else json.dumps(body)
        if sent is not None:
            headers |= {"Content-Type": "application/json"}
        await self.guards[replica].reader.until_leased(20)
        async with self.http.request(method, url, headers=headers, data=sent) as answer:
            return await Answer.of(answer)

    async def new_bucket(self, **options: Any) -> str:
        """Create a bucket; return its id."""
        bucket = self.new_id("bucket")
        answer = await self.call("POST", "", body={"bucketId": bucket, "name": "A bucket", **options})
        assert answer.status == 201, answer
        return bucket
