"""A running replica of token, and calls to it."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from shared.process.service import Service


@dataclass(frozen=True, kw_only=True)
class Replica:
    """Calls are made for project `library` unless said otherwise."""

    http: aiohttp.ClientSession
    url: str
    service: Service

    async def call(
        self, method: str, path: str, credential: dict[str, str], *, project: str = "library", **request: Any
    ) -> tuple[int, Any]:
        """Return status and JSON; of an error, its type."""
        headers = {"X-Appwrite-Project": project} | credential
        async with self.http.request(method, self.url + path, headers=headers, **request) as answer:
            body = msgspec.json.decode(await answer.read())
            return answer.status, body if answer.status < 400 else body["type"]

    async def mint(self, session: dict[str, str], **parameters: Any) -> str:
        """Make a JWT from a session."""
        status, made = await self.call("POST", "/v1/account/jwts", session, json=parameters)
        assert status == 201, made
        return str(made["jwt"])

    async def introspect(self, token: str, key: dict[str, str], *, project: str = "library") -> dict[str, Any]:
        """Look into a JWT, with a key that may."""
        status, found = await self.call("POST", "/v1/jwts/introspect", key, project=project, json={"token": token})
        assert status == 200, found
        return dict(found)
