"""Backups: one file with the database and what it must be to be whole.

A tar archive with two members in this order: `manifest.json` (`Manifest`) and `database.dump`, the database as pg_dump
writes it (`--format=custom`). Private signing keys and login tokens are not in it; hashes of passwords, digests of keys
and all rows are: keep it as private as the database. The sums show damage, not forgery.
"""

import contextlib
import hashlib
import importlib.metadata
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from services.embedded.errors import StartRefused
from shared.kernel.clock import now, wire_date

FORMAT = 1
MANIFEST, DUMP = "manifest.json", "database.dump"
LONGEST_MANIFEST = 2**16
CHUNK = 2**20


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the archive."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What made the archive, when, from which PostgreSQL, and what is in it."""

    format: int
    release: str
    made_at: str
    postgresql: str
    files: dict[str, Content]


@contextlib.contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Yield a private folder beside `path`, deleted in the end; if the process is killed, by the next call."""
    folder = path.with_name(f".{path.name}.unfinished")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_archive(path: Path, dump: Path, *, postgresql: str) -> Manifest:
    """Write an archive of mode 0600 in place of `path`, at once and safe from a crash; return its manifest."""
    manifest = Manifest(
        format=FORMAT,
        release=_own_release(),
        made_at=wire_date(now()),
        postgresql=postgresql,
        files={DUMP: Content(bytes=dump.stat().st_size, sha256=_sum(dump))},
    )
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            about = dump.with_name(MANIFEST)
            about.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
            archive.add(about, MANIFEST, filter=_anonymous)
            archive.add(dump, DUMP, filter=_anonymous)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    return manifest


def read_archive(path: Path, folder: Path) -> Manifest:
    """Check an archive and extract its dump into `folder`; raises `StartRefused` where it is not whole."""
    try:
        with tarfile.open(path, mode="r:") as archive:
            manifest = _read_manifest(path, archive)
            _extract(path, archive, manifest.files[DUMP], folder / DUMP)
    except OSError as error:
        raise StartRefused(f"{path} cannot be read: {error.strerror or error}") from error
    except (tarfile.TarError, msgspec.DecodeError, KeyError, EOFError) as error:
        raise StartRefused(f"{path} is damaged, or not a backup of Daypass: nothing was changed") from error
    return manifest


def _read_manifest(path: Path, archive: tarfile.TarFile) -> Manifest:
    member = archive.extractfile(MANIFEST)
    text = b"" if member is None else member.read(LONGEST_MANIFEST)
    made_by = msgspec.json.decode(text, type=dict[str, object]).get("format")
    if made_by != FORMAT:
        raise StartRefused(f"{path} has format {made_by}, and this release reads format {FORMAT}: use a newer release")
    manifest = msgspec.json.decode(text, type=Manifest)
    if _numbers(manifest.release) > _numbers(own := _own_release()):
        raise StartRefused(f"{path} was made by Daypass {manifest.release}, and this is {own}: use a newer release")
    return manifest


def _extract(path: Path, archive: tarfile.TarFile, expected: Content, target: Path) -> None:
    member = archive.extractfile(DUMP)
    seen, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        while member is not None and (chunk := member.read(CHUNK)):
            file.write(chunk)
            seen.update(chunk)
            size += len(chunk)
    if (size, seen.hexdigest()) != (expected.bytes, expected.sha256):
        raise StartRefused(f"{path} is damaged: the sum of {DUMP} is not that of its manifest; nothing was changed")


def _own_release() -> str:
    return importlib.metadata.version("daypass")


def _numbers(release: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", release)]


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
