"""Calls to running replicas of data."""

from __future__ import annotations  # a method is called `list`

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec

from services.data.domain.catalogue import Table
from services.data.domain.columns.kind import Kind
from services.data.store.catalogue import get_database, get_table
from shared.guard.guard import Guard
from shared.messaging.bus import Bus
from shared.postgres.pool import Pool
from tests.accounts import Accounts, Headers
from tests.answer import Answer
from tests.wire import pairs, query

__all__ = ["OLD_WORDS", "TEXT", "Answer", "Api", "Json", "TableApi", "Values", "query"]

Json = dict[str, Any]
Values = list[Any]


OLD_WORDS = {
    "tables": "collections",
    "tableId": "collectionId",
    "$tableId": "$collectionId",
    "columns": "attributes",
    "rows": "documents",
    "rowId": "documentId",
    "rowSecurity": "documentSecurity",
    "row": "document",
    "table": "collection",
    "column": "attribute",
}
"""What the Databases API calls the things of TablesDB."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """Data's replicas by their addresses, and who may call them.

    `pool` and `as_data` are data's own view of the database and the bus; `bus` is the command line's, by `cli_url`, and
    `as_auth` auth's.
    """

    http: aiohttp.ClientSession
    urls: list[str]
    guards: list[Guard]
    accounts: Accounts
    pool: Pool
    key: Headers
    bus: Bus
    cli_url: str
    as_data: Bus
    as_auth: Bus
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    service: str = "tablesdb"
    """Below `/v1`."""
    old_words: Mapping[str, str] = field(default_factory=dict)
    """Replaced on their way there and back, so that tests in the words of TablesDB can be told to Databases."""
    patience: int = 5
    """How often a call is made again where its replica had, on a busy machine, no lease to commit a write by."""

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
        """Call the service's path, as the key with all scopes unless another caller is named.

        The body of a GET goes into its query; a list there as the SDKs write it.
        """
        headers = {"X-Appwrite-Project": project} | (self.key if caller is None else caller)
        if self.old_words:
            path = "/".join(self.old_words.get(part, part) for part in path.split("/"))
            body = body and {self.old_words.get(name, name): value for name, value in body.items()}
        url = f"{self.urls[replica]}/v1/{self.service}{path}"
        if method == "GET":
            url += f"?{urlencode(list(pairs(body or {})))}"
        sent = None if method == "GET" or body is None else json.dumps(body)
        if sent is not None:
            headers |= {"Content-Type": "application/json"}
        for _ in range(self.patience):
            await self.guards[replica].reader.until_leased(20)
            answer = self._read(await self._send(method, url, headers, sent))
            if answer.status != 503 or answer.json["type"] != "principal_unavailable":
                return answer
        return self._read(await self._send(method, url, headers, sent))

    def _read(self, answer: Answer) -> Answer:
        """Return an answer in the words of TablesDB."""
        if not self.old_words or not answer.json:
            return answer
        new = {old: word for word, old in self.old_words.items()}
        body = {new.get(name, name): value for name, value in answer.json.items()}
        if answer.status >= HTTPStatus.BAD_REQUEST:
            noun, _, rest = body["type"].partition("_")
            body["type"] = f"{new.get(noun, noun)}_{rest}"
        return replace(answer, content=msgspec.json.encode(body))

    async def _send(self, method: str, url: str, headers: Headers, sent: str | None) -> Answer:
        async with self.http.request(method, url, headers=headers, data=sent) as answer:
            return await Answer.of(answer)

    async def new_table(self, **parameters: Any) -> TableApi:
        """Make a table in a database of its own."""
        database, table = self.new_id("database"), self.new_id("table")
        made = await self.call("POST", "", body={"databaseId": database, "name": "A database"})
        assert made.status == 201, made
        made = await self.call(
            "POST", f"/{database}/tables", body={"tableId": table, "name": "A table", "columns": [TEXT], **parameters}
        )
        assert made.status == 201, made
        return TableApi(api=self, database=database, table=table)


TEXT: Json = {"key": "text", "type": "varchar", "size": 64}


@dataclass(frozen=True, kw_only=True)
class TableApi:
    """Calls to one table."""

    api: Api
    database: str
    table: str

    @property
    def path(self) -> str:
        return f"/{self.database}/tables/{self.table}"

    async def definition(self) -> Table:
        """Return what data has in its catalogue."""
        async with self.api.pool.acquire() as connection:
            database = await get_database(connection, self.api.accounts.projects["library"], self.database)
            return await get_table(connection, database, self.table)

    async def call(
        self, method: str, path: str, caller: Headers | None = None, body: Json | None = None, *, replica: int = 0
    ) -> Answer:
        return await self.api.call(method, self.path + path, caller, body, replica=replica)

    async def add_column(self, kind: str, key: str, **parameters: Any) -> Answer:
        return await self.call("POST", f"/columns/{kind}", body={"key": key, "required": False, **parameters})

    async def create(
        self,
        data: Json | None = None,
        caller: Headers | None = None,
        *,
        row_id: str = "unique()",
        replica: int = 0,
        **parameters: Any,
    ) -> Answer:
        body = {"rowId": row_id, "data": {"text": "a"} if data is None else data, **parameters}
        return await self.call("POST", "/rows", caller, body, replica=replica)

    async def new_row(self, data: Json | None = None, *permissions: str) -> str:
        """Make a row with a key; return its id."""
        made = await self.create(data, permissions=list(permissions))
        assert made.status == 201, made
        return str(made.json["$id"])

    async def get(self, row_id: str, caller: Headers | None = None, *, replica: int = 0) -> Answer:
        return await self.call("GET", f"/rows/{row_id}", caller, replica=replica)

    async def update(self, row_id: str, body: Json, caller: Headers | None = None, *, replica: int = 0) -> Answer:
        return await self.call("PATCH", f"/rows/{row_id}", caller, body, replica=replica)

    async def delete(self, row_id: str, caller: Headers | None = None) -> Answer:
        return await self.call("DELETE", f"/rows/{row_id}", caller)

    async def list(self, *queries: str, caller: Headers | None = None, replica: int = 0) -> Answer:
        return await self.call("GET", "/rows", caller, {"queries": list(queries)}, replica=replica)

    async def found(self, *queries: str, column: str = "$id", caller: Headers | None = None) -> Values:
        """Return one column of the rows that a list shows."""
        answer = await self.list(*queries, caller=caller)
        assert answer.status == 200, answer
        return [row[column] for row in answer.json["rows"]]


def declared(kind: Kind) -> Json:
    """What is sent to make a column of a kind with the options of its examples."""
    given: Json = msgspec.to_builtins(kind.declared)
    return given
