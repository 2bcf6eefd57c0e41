"""The backup of the containers' database, and their database from a backup; the archives are those of `daypass backup`.

A restore fills a database beside the one that is in use, and lets the two change their names at once when all is there.
"""

import contextlib
import fcntl
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from deploy.engine import ROOT, DeployFailed, ask, compose_command, say, show
from deploy.health import await_healthy
from services.embedded.archive import CHUNK, DUMP, Manifest, read_archive, scratch, write_archive
from services.embedded.dump import DUMP_OPTIONS, OWNED, create_schemas, list_databases, restore_options
from services.embedded.errors import StartRefused
from services.embedded.postgres import MARK_RESTORED
from shared.kernel.clock import now

DATABASE, RESTORING = "daypass", "daypass_restoring"
SUPERUSER, SOCKETS = "postgres", "/var/run/postgresql"
STORES = frozenset({"postgres", "redis", "limits"})
"""What goes on while a database is restored: the rest are services that use it."""

LOCK = ROOT / "deploy" / "secrets" / "lock"
STALL_S = 900
"""How long a program may say nothing before it is ended, and lets go of its locks."""
TELL_S = 2.0
MIB = 2**20

UNTIL_CLOSED = """
exec 3<&0
"$@" </dev/null 3<&- & work=$!
while kill -0 "$work" 2>/dev/null; do
    read -r -t 0.2 -u 3
    if [ $? = 1 ]; then kill "$work"; break; fi
done
wait "$work"
"""
"""For bash: run a program, and end it when stdin ends, as it does when the caller is gone.

No process may be left without its parent: PostgreSQL, which is the first process of its container, would take the end
of one for a crash of its own.
"""

AS_SERVICE = """
PGPASSWORD=$(cat "/run/secrets/$1_postgres_password"); export PGPASSWORD; shift
exec "$@"
"""
"""For bash: run a program with the password of a service's role."""


def back_up(file: Path) -> Manifest:
    """Write a backup of the database to `file`, whether the services run or not; raises `DeployFailed`."""
    with _alone(), _in_words():
        postgres = _Postgres(_container())
        with scratch(file) as folder:
            dump = folder / DUMP
            say(f"copying the database, {postgres.size() // MIB} MiB on disk")
            postgres.dump(dump)
            say("writing and checking the archive")
            manifest = write_archive(file, dump, postgresql=postgres.version())
            dump.unlink()
            read_archive(file, folder)
            return manifest


@contextlib.contextmanager
def opened(file: Path) -> Iterator[tuple[Manifest, Path]]:
    """Check an archive and yield its manifest and dump, while no other restore can begin. Raises `DeployFailed`."""
    with _alone(), _in_words(), scratch(file) as folder:
        say("checking the archive")
        yield read_archive(file, folder), folder / DUMP


def restore(dump: Path) -> str:
    """Let the database be that of a dump, and start the services on it; return the name of the one that was there.

    Raises `DeployFailed`; then nothing was changed, and the services run as before.
    """
    show(*compose_command(), "up", "-d", "--no-deps", "postgres")
    await_healthy("postgres")
    postgres = _Postgres(_container())
    databases = list_databases(postgres.listing(dump))
    services = sorted(set(ask(*compose_command(), "config", "--services").split()) - STORES)
    say("stopping the services; if this is interrupted, `make up` starts them on the old data")
    try:
        show(*compose_command(), "stop", *services)
        say("restoring the database")
        postgres.fill(dump, databases)
        replaced = postgres.put_in_place()
    except BaseException:
        say("nothing was changed: starting the services again")
        show(*compose_command(), "up", "-d")
        raise
    say(f"the replaced data are kept as the database {replaced}; from now on, `make up` starts the restored data")
    return replaced


class _Postgres:
    """The PostgreSQL of a container."""

    def __init__(self, container: str) -> None:
        self._container = container

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """Run statements in one transaction, as the superuser; return the first value."""
        return ask(*self._exec("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *_to(database), "-c", statement)).strip()

    def size(self) -> int:
        return int(self.sql(f"SELECT pg_database_size('{DATABASE}')"))

    def version(self) -> str:
        return self.sql("SHOW server_version").split()[0]

    def dump(self, target: Path) -> None:
        """Copy the database as it is at this moment; tables can be read and written meanwhile."""
        command = self._exec("bash", "-c", UNTIL_CLOSED, "bash", "pg_dump", *_to(DATABASE), *DUMP_OPTIONS, stdin=True)
        with target.open("xb") as file, _running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None  # noqa: S101 for the type checker
            _copy(process.stdout, file, what="copied")

    def listing(self, dump: Path) -> str:
        with dump.open("rb") as file:
            command = self._exec("pg_restore", "--list", stdin=True)
            done = subprocess.run(command, stdin=file, capture_output=True, check=False)  # noqa: S603 ours
        if done.returncode != 0:
            raise DeployFailed(f"pg_restore cannot read the backup:\n{done.stderr.decode(errors='replace')[-2000:]}")
        return done.stdout.decode(errors="replace")

    def fill(self, dump: Path, databases: list[int]) -> None:
        """Make a database beside the one in use and read the dump back into it; mark it as an older copy."""
        self.sql(f"DROP DATABASE IF EXISTS {RESTORING} WITH (FORCE)")
        self.sql(f"CREATE DATABASE {RESTORING} TEMPLATE template0")
        ask(*self._exec("bash", "/docker-entrypoint-initdb.d/10-daypass.sh", environ=f"POSTGRES_DB={RESTORING}"))
        ask(*self._as("data", "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", create_schemas(databases)))
        for service in OWNED:
            command = self._as(service, "pg_restore", *restore_options(service, databases), stdin=True)
            with dump.open("rb") as file, _running(command, stdin=file.fileno(), stdout=None) as process:
                _tell(process, file, what=f"{service}: read")
        ask(*self._as("auth", "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-c", MARK_RESTORED))
        for service in OWNED:  # ANALYZE runs the functions in index expressions, so never as the superuser
            ask(*self._as(service, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-c", "ANALYZE"))

    def put_in_place(self) -> str:
        """Let the new database take the name of the one in use, which is kept, and which nobody can enter then."""
        replaced = f"{DATABASE}_replaced_{now():%Y%m%dt%H%M%S}"
        self.sql(
            f"ALTER DATABASE {DATABASE} RENAME TO {replaced}; ALTER DATABASE {RESTORING} RENAME TO {DATABASE};"
            f"ALTER DATABASE {replaced} ALLOW_CONNECTIONS false"
        )
        return replaced

    def _exec(self, *command: str, stdin: bool = False, environ: str = "LC_ALL=C") -> tuple[str, ...]:
        return ("docker", "exec", *(["-i"] if stdin else []), "-e", environ, self._container, *command)

    def _as(self, service: str, program: str, *arguments: str, stdin: bool = False) -> tuple[str, ...]:
        to = ("-h", "127.0.0.1", "-U", f"daypass_{service}", "-d", RESTORING)
        return self._exec("bash", "-c", AS_SERVICE, "bash", service, program, *to, *arguments, stdin=stdin)


def _container() -> str:
    """Return the id of PostgreSQL's container; raises `DeployFailed` where it does not run."""
    containers = ask(*compose_command(), "ps", "-q", "postgres").split()
    if not containers or ask("docker", "inspect", "-f", "{{.State.Running}}", containers[0]).strip() != "true":
        raise DeployFailed("PostgreSQL's container does not run: make up")
    return containers[0]


def _to(database: str) -> tuple[str, ...]:
    return ("-h", SOCKETS, "-U", SUPERUSER, "-d", database)


@contextlib.contextmanager
def _running(command: tuple[str, ...], *, stdin: int, stdout: int | None) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program for the length of the block; raises `DeployFailed` with its last words where it fails."""
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=words) as process,  # noqa: S603 ours
    ):
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        if process.wait() != 0:
            words.seek(0)
            said = words.read().decode(errors="replace").strip()[-2000:]
            raise DeployFailed(f"{' '.join(command[:6])} … failed:\n{said}")


def _copy(source: IO[bytes], target: IO[bytes], *, what: str) -> None:
    """Copy to the end, and tell from time to time how far it is."""
    done, told_at = 0, time.monotonic()
    while True:
        if not select.select([source], [], [], STALL_S)[0]:
            raise DeployFailed(f"nothing came for {STALL_S} s: is a table locked, or the disk full?")
        chunk = os.read(source.fileno(), CHUNK)
        if not chunk:
            return
        target.write(chunk)
        done += len(chunk)
        if time.monotonic() > told_at + TELL_S:
            told_at = time.monotonic()
            say(f"{what} {done // MIB} MiB")


def _tell(process: "subprocess.Popen[bytes]", file: IO[bytes], *, what: str) -> None:
    """Wait for a program that reads a file, and tell from time to time how far it is."""
    total = os.fstat(file.fileno()).st_size
    while True:
        try:
            process.wait(TELL_S)
        except subprocess.TimeoutExpired:
            say(f"{what} {os.lseek(file.fileno(), 0, os.SEEK_CUR) // MIB} of {total // MIB} MiB")
        else:
            return


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let no other backup or restore of these containers run meanwhile; raises `DeployFailed` where one does."""
    with LOCK.open("w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DeployFailed("another backup or restore runs: wait for its end") from None
        yield


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except StartRefused as error:
        raise DeployFailed(str(error)) from error
    except OSError as error:
        raise DeployFailed(f"{error.filename or 'a file'}: {error.strerror or error}") from error
