"""Passwords: their rules, and the hash that replaces a clear password before it is sent anywhere."""

from argon2 import PasswordHasher

from shared.kernel.errors import ArgumentInvalid

SHORTEST, LONGEST = 8, 256


def check_password(password: str) -> None:
    """Raise `ArgumentInvalid` where a password is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ArgumentInvalid("password", f"it must be {SHORTEST} to {LONGEST} characters long")


def new_hasher(*, cheap: bool = False) -> PasswordHasher:
    """Return what hashes with argon2id at the library's cost (RFC 9106, second choice); cheap: for tests."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if cheap else PasswordHasher()
