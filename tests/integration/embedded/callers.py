"""Calls to a running instance, and a table with a row."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Caller:
    """Calls a running instance."""

    endpoint: str
    headers: dict[str, str]

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Caller":
        """Call with the key of the first start."""
        return cls(told["endpoint"], {"X-Appwrite-Project": told["project"], "X-Appwrite-Key": told["key"]})

    def by(self, **headers: str) -> "Caller":
        """Call with another credential."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Caller(self.endpoint, {"X-Appwrite-Project": self.headers["X-Appwrite-Project"]} | named)

    def call(self, method: str, path: str, **body: object) -> tuple[int, Any]:
        """Return status and JSON."""
        data = json.dumps(body).encode() if body else None
        headers = self.headers | {"Content-Type": "application/json"}
        request = urllib.request.Request(self.endpoint + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def status(self, method: str, path: str, **body: object) -> int:
        """Return the status alone."""
        return self.call(method, path, **body)[0]


ROW = {"rowId": "one", "data": {"text": "kept"}}


def fill(key: Caller) -> None:
    """Make a table with a row."""
    key.call("POST", "/tablesdb", databaseId="crm", name="CRM")
    key.call("POST", "/tablesdb/crm/tables", tableId="notes", name="Notes")
    key.call("POST", "/tablesdb/crm/tables/notes/columns/text", key="text", required=False)
    status, row = key.call("POST", "/tablesdb/crm/tables/notes/rows", **ROW)
    assert status == 201, row


def read(key: Caller) -> str:
    """Return what the row holds."""
    status, row = key.call("GET", "/tablesdb/crm/tables/notes/rows/one")
    assert status == 200, row
    return str(row["text"])
