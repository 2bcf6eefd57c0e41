"""The ways to take something from more than one principal, which only an operator's command line does, or a key.

A round of these has a project of its own. Signing keys are the instance's: a round that retires one must be alone.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from shared.contracts.administration import DeleteProject, RevokeAllSessions
from shared.contracts.requests import Request
from shared.contracts.signing_keys import ListSigningKeys, RetireSigningKey, RotateSigningKey
from shared.kernel.errors import Refusal
from tests.e2e.revocation.cluster import Cluster
from tests.e2e.revocation.probes import of_jwts, of_page, of_project, of_user
from tests.e2e.revocation.projects import DATABASE, TABLE, Client, Person, Project, for_role
from tests.e2e.revocation.rounds import KINDS, OF_USER, Grant, Round, Way
from tests.e2e.revocation.ways import by_key


def own_ways(cluster: Cluster) -> list[Way]:
    """Return the ways that need a project of their own."""
    operator = Operator(cluster)
    delete, again, new = operator.delete_project, operator.make_project_again, operator.somebody
    return [
        Way("project deleted", delete, KINDS, of_project, publish_row, somebody=new),
        Way("project deleted and made again", delete, KINDS, of_project, publish_row, again, somebody=new),
        Way(
            "project made again while a lock holds up its purge",
            delete,
            KINDS,
            of_project,
            publish_row,
            again,
            operator.lock,
            new,
        ),
        Way("all sessions of a project deleted", operator.delete_all_sessions, OF_USER, of_user, somebody=new),
        Way("platform deleted", delete_platform, OF_USER, of_page, make_platform, somebody=new),
        Way("auth method switched off", switch_jwts_off, ("session", "cookie"), of_jwts, somebody=new),
    ]


def lone_ways(cluster: Cluster) -> list[Way]:
    """Return the ways that end something for everybody: no other round may run meanwhile."""
    operator = Operator(cluster)
    kinds = ("jwt", "user-jwt")
    return [
        Way("signing key retired", operator.retire, kinds, of_user, operator.active_key, ends_person=True),
    ]


class Operator:
    """Somebody at the command line of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def somebody(self, client: Client) -> Person:
        """Make a project with a person in it."""
        id_ = f"own-{secrets.token_hex(8)}"
        project = Project(client, id_, await self._cluster.make_project(id_))
        await project.prepare()
        return await project.person()

    async def delete_project(self, one: Round) -> int:
        return await self._status(DeleteProject(id=one.person.project.id))

    async def make_project_again(self, one: Round) -> None:
        """Another project of the same id, with a database, a table, rows and a user that have the same ids too."""
        person, former = one.person, one.person.project
        project = Project(former.client, former.id, await self._cluster.make_project(former.id))
        await project.prepare()
        await project.good("auth", "POST", "/users", 201, {"userId": person.id}, or_else=409)
        for row, role in ((person.row, f"user:{person.id}"), (one.grant.row, "any")):
            rows, _, id_ = row.rpartition("/")
            await project.row(for_role(role), rows=rows, id_=id_, text="of the next")

    @contextlib.asynccontextmanager
    async def lock(self, one: Round) -> AsyncIterator[None]:
        """Hold what a backup holds of the table, so that no purge can drop it."""
        connection = await asyncpg.connect(self._cluster.database.dsn("data"))
        try:
            table = await connection.fetchval(
                "SELECT format('db_%s.t_%s', databases.n, tables.n) FROM data.tables"
                " JOIN data.databases ON databases.n = database_n"
                " WHERE project = $1 AND databases.id = $2 AND tables.id = $3",
                one.person.project.id,
                DATABASE,
                TABLE,
            )
            async with connection.transaction():
                await connection.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
                yield
        finally:
            await connection.close()

    async def delete_all_sessions(self, one: Round) -> int:
        return await self._status(RevokeAllSessions(project_id=one.person.project.id))

    async def active_key(self, _: Person) -> Grant:
        """The signing key of all JWTs of this round."""
        keys = (await self._cluster.ask(ListSigningKeys())).keys
        return Grant(id=next(key.kid for key in keys if key.state == "active"))

    async def retire(self, one: Round) -> int:
        status = await self._status(RotateSigningKey(active=one.grant.id))
        return status if status != 200 else await self._status(RetireSigningKey(kid=one.grant.id))

    async def _status(self, request: Request[Any]) -> int:  # Any: requests with answers of every kind
        """Ask, and return the status that HTTP has for the answer."""
        try:
            await self._cluster.ask(request)
        except Refusal as refusal:
            return refusal.type.status
        return 200


async def publish_row(person: Person) -> Grant:
    """A row that anybody may read."""
    return Grant(row=await person.project.row(['read("any")']))


async def make_platform(person: Person) -> Grant:
    id_ = secrets.token_hex(8)
    body = {"platformId": id_, "name": "Pages", "hostname": f"{id_}.example.org"}
    await person.project.good("auth", "POST", "/project/platforms/web", 201, body, or_else=409)
    return Grant(id=id_)


async def delete_platform(one: Round) -> int:
    return await by_key(one, "auth", "DELETE", f"/project/platforms/{one.grant.id}")


async def switch_jwts_off(one: Round) -> int:
    return await by_key(one, "auth", "PATCH", "/project/auth-methods/jwt", {"enabled": False})
