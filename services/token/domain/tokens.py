"""What a JWT says, and for how long."""

import secrets
from typing import Final

from shared.contracts.claims import Claims

SHORTEST_S: Final = 1
LONGEST_S: Final = 3600
DEFAULT_S: Final = 900


def claims_for(
    *, issuer: str, project: str, user: str, session: str, duration_s: int, now: float, generation: int = 0
) -> Claims:
    """Make the claims of a new JWT; an empty `session` binds it to the user alone, in this generation."""
    second = int(now)
    return Claims(
        iss=issuer,
        sub=user,
        aud=project,
        sid=session,
        jti=secrets.token_hex(16),
        iat=second,
        nbf=second,
        exp=second + duration_s,
        user_id=user,
        session_id=session,
        generation=0 if session else generation,
    )
