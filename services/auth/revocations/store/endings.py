"""The end of everything by which a user could still sign in or act: of one user, of a project, or of all.

That is sessions, login tokens, the secrets of pending invitations, and JWTs that are bound to the user alone.
"""

from services.auth.revocations.store.invitations import OF_USER
from shared.contracts.ids import NO_SESSION, ProjectId, SessionId, UserId
from shared.postgres.pool import Connection

END_S = 600.0
"""For all users of a project, or of an instance."""

# The user comes first: its lock orders this against sign-ins, which take the same one.
_BEGIN_GENERATION = """
    UPDATE auth.users SET generation = nextval('auth.generations'), ended_at = now() WHERE project = $1 AND id = $2
"""
_DELETE_SESSIONS = """
    UPDATE auth.sessions SET deleted_at = now()
    WHERE project = $1 AND user_id = $2 AND id <> $3 AND deleted_at IS NULL
"""
_DELETE_TOKENS = "DELETE FROM auth.tokens WHERE project = $1 AND user_id = $2"
_CLOSE_INVITATIONS = f"""
    UPDATE auth.memberships SET secret_digest = NULL
    WHERE project = $1 AND id IN ({OF_USER}) AND NOT confirmed AND secret_digest IS NOT NULL
"""

_OF_PROJECT = (
    "UPDATE auth.users SET generation = nextval('auth.generations'), ended_at = now() WHERE project = $1",
    "UPDATE auth.sessions SET deleted_at = now() WHERE project = $1 AND deleted_at IS NULL",
    "DELETE FROM auth.tokens WHERE project = $1",
    """
    UPDATE auth.memberships SET secret_digest = NULL
    WHERE project = $1 AND NOT confirmed AND secret_digest IS NOT NULL
    """,
)

# JWTs of before need no generation here: they are older than feed.instance.restored_at, and their keys are retired.
_OF_INSTANCE = (
    "UPDATE auth.sessions SET deleted_at = now() WHERE deleted_at IS NULL",
    "DELETE FROM auth.tokens",
    "UPDATE auth.memberships SET secret_digest = NULL WHERE NOT confirmed AND secret_digest IS NOT NULL",
)

# What was made since the copy is unknown here: incarnations and generations leap over the numbers that it may have.
_LEAP = """
    SELECT setval(name, nextval(name) + 1000000)
    FROM unnest(ARRAY[
        pg_get_serial_sequence('auth.projects', 'sequence'), pg_get_serial_sequence('auth.users', 'sequence'),
        pg_get_serial_sequence('auth.teams', 'sequence'), 'auth.generations'
    ]::regclass[]) AS name
"""


async def end_all_of_user(
    connection: Connection, project_id: ProjectId, user_id: UserId, *, kept: SessionId = NO_SESSION
) -> bool:
    """End all by which a user signs in or acts but the session `kept`; False where there is no such user."""
    if await connection.execute(_BEGIN_GENERATION, project_id, user_id) == "UPDATE 0":
        return False
    await connection.execute(_DELETE_SESSIONS, project_id, user_id, kept)
    await connection.execute(_DELETE_TOKENS, project_id, user_id)
    await connection.execute(_CLOSE_INVITATIONS, project_id, user_id)
    return True


async def end_all_of_project(connection: Connection, project_id: ProjectId) -> None:
    """End all by which any user of a project signs in or acts."""
    for statement in _OF_PROJECT:
        await connection.execute(statement, project_id, timeout=END_S)


async def end_all_of_instance(connection: Connection) -> None:
    """End all by which any user signs in or acts: the database was restored, and what was ended since is in it.

    Nothing that is made from now on has the incarnation of what was made and lost since.
    """
    for statement in (*_OF_INSTANCE, _LEAP):
        await connection.execute(statement, timeout=END_S)
