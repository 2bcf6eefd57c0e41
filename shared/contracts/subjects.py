"""Subjects: what a feed entry is about, written as text, so that a cache can hold it against a principal."""

from shared.contracts.ids import KeyId, ProjectId, SessionId, TeamId, UserId


def project(project_id: ProjectId) -> str:
    """Everything of one project."""
    return f"project:{project_id}"


def user(project_id: ProjectId, user_id: UserId) -> str:
    """A user, and so all of the user's sessions and JWTs."""
    return f"user:{project_id}/{user_id}"


def session(project_id: ProjectId, session_id: SessionId) -> str:
    """A session, and the JWTs made from it."""
    return f"session:{project_id}/{session_id}"


def jwt(jti: str) -> str:
    """One JWT."""
    return f"jwt:{jti}"


def key(project_id: ProjectId, key_id: KeyId) -> str:
    """An API key."""
    return f"key:{project_id}/{key_id}"


def team(project_id: ProjectId, team_id: TeamId) -> str:
    """A team, and so the roles of all its members."""
    return f"team:{project_id}/{team_id}"


def signing_key(kid: str) -> str:
    """A signing key of the instance."""
    return f"signing_key:{kid}"


SIGNING_KEYS = "signing_keys"
"""The set of signing keys: an entry here says that a key was added or changed its state."""
