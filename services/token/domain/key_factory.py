"""New signing keys, sealed as they are made."""

from dataclasses import dataclass

from services.token.domain.seal import Seal
from services.token.domain.signing_keys import Algorithm, generate, private_bytes, public_jwk
from shared.kernel.ids import unique_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSigningKey:
    """A key that was just made: its public part, and its private part sealed."""

    kid: str
    algorithm: Algorithm
    jwk: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class KeyFactory:
    """Makes signing keys of one algorithm, and seals them."""

    seal: Seal
    algorithm: Algorithm

    def make(self) -> NewSigningKey:
        """Make one; takes a tenth of a second or more for RS256."""
        kid, key = unique_id(), generate(self.algorithm)
        return NewSigningKey(
            kid=kid,
            algorithm=self.algorithm,
            jwk=public_jwk(key, kid=kid, algorithm=self.algorithm),
            sealed=self.seal.close(private_bytes(key), kid=kid),
        )
