import json

import msgspec

from services.token.domain.tokens import Bearer, claims_for

NOW = 1_800_000_000.75


def encode_prefs(session: str) -> dict[str, object]:
    claims = claims_for(
        issuer="urn:test",
        bearer=Bearer(
            project_id="library", project_incarnation=1, user_id="ada", user_incarnation=2, session_id=session
        ),
        duration_s=900,
        now=NOW,
    )
    members: dict[str, object] = json.loads(msgspec.json.encode(claims))
    return members


def test_a_jwt_carries_the_standard_claims_and_appwrites_two_and_ours() -> None:
    members = encode_prefs("s1")

    assert len(str(members.pop("jti"))) == 32
    assert members == {
        "iss": "urn:test",
        "sub": "ada",
        "aud": "library",
        "sid": "s1",
        "iat": 1_800_000_000,
        "nbf": 1_800_000_000,
        "exp": 1_800_000_900,
        "userId": "ada",
        "sessionId": "s1",
        "projectIncarnation": 1,
        "userIncarnation": 2,
    }


def test_a_jwt_without_a_session_has_no_sid_and_an_empty_session_id() -> None:
    members = encode_prefs("")

    assert "sid" not in members
    assert members["sessionId"] == ""


def test_no_two_jwts_have_the_same_jti() -> None:
    assert len({str(encode_prefs("s1")["jti"]) for _ in range(1000)}) == 1000
