"""What a JWT says, and for how long."""

import secrets
from typing import Final

import msgspec

from shared.contracts.claims import Claims
from shared.contracts.ids import ProjectId, SessionId, UserId

SHORTEST_S: Final = 1
LONGEST_S: Final = 3600
DEFAULT_S: Final = 900


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a JWT is made for; an empty `session` binds it to the user alone, in this generation."""

    project_id: ProjectId
    project_incarnation: int
    user_id: UserId
    user_incarnation: int
    session_id: SessionId
    generation: int = 0


def claims_for(*, issuer: str, bearer: Bearer, duration_s: int, now: float) -> Claims:
    """Return the claims of a new JWT."""
    second = int(now)
    return Claims(
        iss=issuer,
        sub=bearer.user_id,
        aud=bearer.project_id,
        sid=bearer.session_id,
        jti=secrets.token_hex(16),
        iat=second,
        nbf=second,
        exp=second + duration_s,
        user_id=bearer.user_id,
        session_id=bearer.session_id,
        project_incarnation=bearer.project_incarnation,
        user_incarnation=bearer.user_incarnation,
        generation=0 if bearer.session_id else bearer.generation,
    )
