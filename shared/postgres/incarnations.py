"""The incarnations of projects in which a service has made something, or which were deleted.

A service has them in a table `incarnations` of its schema, with the columns `incarnation` and `deleted_at`.
"""

from shared.postgres.pool import Connection


class Incarnations:
    """The incarnations that the service with this `schema` knows.

    A transaction that makes something in a project shares the row of the project's incarnation, and one that notes its
    deletion changes it: so each thing is seen by the purge, or is not made. An advisory lock any role could take.
    """

    def __init__(self, schema: str) -> None:
        table = f"{schema}.incarnations"
        self._insert = f"INSERT INTO {table} (incarnation) VALUES ($1) ON CONFLICT DO NOTHING"
        self._hold = f"SELECT deleted_at IS NULL FROM {table} WHERE incarnation = $1 FOR SHARE"
        self._note_death = f"""
            INSERT INTO {table} (incarnation, deleted_at) VALUES ($1, now())
            ON CONFLICT (incarnation) DO UPDATE SET deleted_at = coalesce(incarnations.deleted_at, now())
        """

    async def hold(self, connection: Connection, incarnation: int) -> bool:
        """Lock a project against its deletion until this transaction ends; False where it is deleted already."""
        await connection.execute(self._insert, incarnation)
        return bool(await connection.fetchval(self._hold, incarnation))

    async def note_death(self, connection: Connection, incarnation: int) -> None:
        """Note that a project is deleted: nothing is made in it any more. Once more is no fault."""
        await connection.execute(self._note_death, incarnation)
