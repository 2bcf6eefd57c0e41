"""What becomes of the databases of a project that is deleted, and of those from before projects had incarnations."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from services.data.domain.catalogue import Database
from services.data.store import catalogue
from services.data.store import definitions as changes
from services.data.store import incarnations as store
from shared.contracts.ids import ProjectId
from shared.contracts.requests import ResolveProject
from shared.kernel.errors import Refusal
from shared.messaging.bus import Bus
from shared.postgres.errors import DATABASE_ERRORS
from shared.postgres.pool import Connection, Pool

log = structlog.get_logger()

ADOPT_S = 2.0


class PurgeHeldUp(Exception):
    """Somebody uses tables that are to be dropped: the rest of the purge is to be tried again."""


async def purge_project(pool: Pool, project: str, incarnation: int) -> None:
    """Delete all databases of a project that is gone, each table in a transaction of its own.

    What is done stays done, and doing it twice is doing it once. Raises `PurgeHeldUp` where something is left, which
    no caller sees any more; another project with the same id is not touched.
    """
    async with pool.acquire() as connection:
        await store.INCARNATIONS.note_death(connection, incarnation)
        databases = await catalogue.list_databases(connection, incarnation)
    left = 0
    for database in databases:
        in_use = await _purge(pool, database)
        left += in_use
        log.info("database purged", project=project, incarnation=incarnation, database=database.id, in_use=in_use)
    if left:
        raise PurgeHeldUp(f"{left} tables or databases of the deleted project {project} are in use")


async def adopt_databases(pool: Pool, bus: Bus) -> None:
    """Give each database of no incarnation to its project, as auth knows it, and end; those of no project stay unseen.

    Tries again until auth has answered.
    """
    while True:
        try:
            await _adopt(pool, bus)
        except (Refusal, *DATABASE_ERRORS) as error:
            log.warning("adoption of databases interrupted", error=repr(error))
            await asyncio.sleep(ADOPT_S)
        else:
            return


async def _adopt(pool: Pool, bus: Bus) -> None:
    async with pool.acquire() as connection:
        projects = await store.list_unadopted(connection)
    for id_ in projects:
        project = (await bus.ask(ResolveProject(project_id=ProjectId(id_)))).project
        if project is not None:
            async with pool.acquire() as connection:
                await store.adopt_databases(connection, id_, project.incarnation)
            log.info("databases adopted", project=id_, incarnation=project.incarnation)


async def _purge(pool: Pool, database: Database) -> int:
    """Delete a database table by table; return how many things could not be deleted, for somebody uses them."""
    async with pool.acquire() as connection:
        numbers = await store.list_table_numbers(connection, database)
    in_use = 0
    for n in numbers:
        if not await _done(pool, partial(store.drop_table, database=database, n=n)):
            in_use += 1
    if in_use or await _done(pool, partial(changes.delete_database, database=database)):
        return in_use
    return 1


async def _done(pool: Pool, change: Callable[[Connection], Awaitable[None]]) -> bool:
    try:
        async with pool.acquire() as connection, store.impatient(connection):
            await change(connection)
    except store.TableInUse:
        return False
    return True
