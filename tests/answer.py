"""What a call over HTTP is answered."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
from aiohttp import ClientResponse
from multidict import CIMultiDictProxy


@dataclass(frozen=True)
class Answer:
    """Status, headers, and what came with them; two are equal if all but their headers is."""

    status: int
    headers: CIMultiDictProxy[str] = field(compare=False)
    content: bytes

    @classmethod
    async def of(cls, response: ClientResponse) -> "Answer":
        return cls(response.status, response.headers, await response.read())

    @cached_property
    def json(self) -> Any:
        """The content, decoded; None where there is none."""
        return msgspec.json.decode(self.content) if self.content else None

    @property
    def error(self) -> tuple[int, str]:
        """Status and type of a refusal, having checked that both are said as Appwrite says them."""
        assert set(self.json) == {"message", "code", "type", "version"}
        assert self.json["code"] == self.status
        assert self.headers["Content-Type"] == "application/json; charset=UTF-8"
        assert self.headers["Cache-Control"] == "no-cache, no-store, must-revalidate"
        return self.status, self.json["type"]

    @property
    def said(self) -> tuple[int, str]:
        """Status, and the type of a refusal or nothing."""
        return self.error if self.status >= 400 else (self.status, "")

    @property
    def cookies(self) -> list[str]:
        return self.headers.getall("Set-Cookie", [])

    def __repr__(self) -> str:
        return f"{self.status} {self.content[:500]!r}"
