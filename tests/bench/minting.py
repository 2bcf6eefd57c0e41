"""JWTs minted, against a bare loop of PyJWT."""

import time
from collections.abc import Callable

import jwt

from services.token.domain.signing_keys import Signer, generate
from services.token.domain.tokens import Bearer, claims_for
from tests.bench.measures import Measure, at_least, median_ratio

ROUNDS = 7
SECONDS = 0.5


def per_second(once: Callable[[], object]) -> float:
    """Call again and again for a while; return calls per second."""
    calls, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < SECONDS:
        once()
        calls += 1
    return calls / elapsed


async def measure() -> list[Measure]:
    """Claims made, encoded and signed by our signer, against `jwt.encode` of ready claims with the same key."""
    private = generate("ES256")
    signer = Signer(kid="bench", algorithm="ES256", key=private)
    payload = {"sub": "user", "sid": "session", "aud": "project", "iss": "urn:daypass:x", "exp": 2_000_000_000}

    def ours() -> object:
        claims = claims_for(
            issuer="urn:daypass:x",
            bearer=Bearer(
                project_id="project", project_incarnation=1, user_id="user", user_incarnation=2, session_id="session"
            ),
            duration_s=900,
            now=time.time(),
        )
        return signer.sign(claims)

    def bare() -> object:
        return jwt.encode(payload, private, algorithm="ES256", headers={"kid": "bench", "typ": "at+jwt"})

    found = [[per_second(ours), per_second(bare)] for _ in range(ROUNDS)]
    detail = f"ES256, median of {ROUNDS} rounds ({', '.join(f'{row[0]:.0f}/{row[1]:.0f}' for row in found)} per s)"
    return [at_least(0.5, name="minting over bare PyJWT", value=median_ratio(found), detail=detail)]
