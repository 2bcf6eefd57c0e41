from typing import Any

import pytest

from shared.contracts.credentials import SessionSecret

CREDENTIALS = {
    "guest": {},
    "session": {"Cookie": f"a_session_demo={SessionSecret('u1', 'fresh').wire()}"},
    "jwt": {"X-Appwrite-JWT": "good"},
    "key": {"X-Appwrite-Key": "standard_good"},
}


@pytest.mark.parametrize("credentials", CREDENTIALS.values(), ids=CREDENTIALS)
async def test_no_answer_may_be_kept_by_a_cache_on_its_way(client: Any, credentials: dict[str, str]) -> None:
    answer = await client.call("GET", "/v1/open", headers=credentials)

    assert answer.status == 200
    assert answer.headers.getall("Cache-Control") == ["no-store"]
