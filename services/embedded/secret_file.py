"""The secrets of an instance, made at its first start and kept in one private file."""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from services.embedded.datadir import DataDir
from services.embedded.errors import StartRefused
from services.embedded.postgres import SUPERUSER
from services.embedded.valkey import USERS
from shared.kernel.private_file import write_private
from shared.kernel.settings import Secret
from shared.messaging.names import SERVICES

SECRET_BYTES = 32
REMEDY = "put a copy of it back, or restore a backup with: daypass restore --replace FILE"
ROLES = (SUPERUSER, *SERVICES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Passwords by role and by user, and the secrets that encrypt signing keys, keys of files, and columns."""

    master_key: Secret
    file_key: Secret
    column_key: Secret
    postgres: Mapping[str, Secret]
    valkey: Mapping[str, Secret]


class _File(msgspec.Struct, kw_only=True):
    master_key: str = ""
    file_key: str = ""
    column_key: str = ""
    postgres: dict[str, str] = {}
    valkey: dict[str, str] = {}


def read_or_make(data_dir: DataDir) -> Secrets:
    """Return the secrets of an instance. Raises `StartRefused` where they are lost or damaged."""
    kept = _read(data_dir)
    whole = _File(
        master_key=kept.master_key or _new(),
        file_key=kept.file_key or _new(),
        column_key=kept.column_key or _new(),
        postgres={name: kept.postgres.get(name) or _new() for name in ROLES},
        valkey={name: kept.valkey.get(name) or _new() for name in USERS},
    )
    if whole != kept:
        write_private(data_dir.secrets, msgspec.json.encode(whole).decode())
    return Secrets(
        master_key=Secret(whole.master_key),
        file_key=Secret(whole.file_key),
        column_key=Secret(whole.column_key),
        postgres={name: Secret(password) for name, password in whole.postgres.items()},
        valkey={name: Secret(password) for name, password in whole.valkey.items()},
    )


def find_column_key(data_dir: DataDir) -> Secret | None:
    """Return the column keys of a data directory; None where it has none, or has lost them."""
    with contextlib.suppress(StartRefused):
        return Secret(_read(data_dir).column_key) or None
    return None


def keep_column_key(data_dir: DataDir, column_key: Secret) -> None:
    """Let a data directory have these column keys from its next start on."""
    kept = msgspec.structs.replace(_read(data_dir), column_key=column_key.reveal())
    write_private(data_dir.secrets, msgspec.json.encode(kept).decode())


def _read(data_dir: DataDir) -> _File:
    if data_dir.secrets.exists():
        try:
            return msgspec.json.decode(data_dir.secrets.read_bytes(), type=_File)
        except msgspec.DecodeError as error:
            raise StartRefused(f"{data_dir.secrets} is damaged: {REMEDY}") from error
    if data_dir.postgres.exists():
        raise StartRefused(
            f"{data_dir.secrets} is missing, and {data_dir.postgres} cannot be opened without it: {REMEDY}"
        )
    return _File()


def _new() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)
