"""Imports of users with an existing password hash; it is replaced at their first sign-in."""

from typing import Annotated

import msgspec

from services.auth.deps import AuthDeps
from services.auth.passwords.domain.hashes import Bcrypt, ForeignHash, Md5, Phpass, Scrypt, ScryptModified, Sha
from services.auth.people.domain.records import NewUser
from services.auth.people.http.models import User, user_model
from services.auth.people.operations import users as operations
from shared.contracts.ids import UserId
from shared.kernel.errors import ErrorType
from shared.web.endpoint import Call, Caller, Routes
from shared.web.parameters import CustomIdOf

routes = Routes[AuthDeps]("users")

Text = Annotated[str, msgspec.Meta(max_length=512)]
ERRORS = (ErrorType.USER_ALREADY_EXISTS,)


class ImportUser(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A user; `password` is its hash."""

    user_id: CustomIdOf[UserId]
    email: Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    name: Annotated[str, msgspec.Meta(max_length=128)] = ""


class ImportShaUser(ImportUser, frozen=True, kw_only=True, rename="camel"):
    """A user with a hash by one version of SHA."""

    password_version: Text = "sha3-512"  # noqa: S105 the name of a version


class ImportScryptUser(ImportUser, frozen=True, kw_only=True, rename="camel"):
    """A user with a hash by scrypt: its salt, N, r, p, and length in bytes."""

    password_salt: Text
    password_cpu: int
    password_memory: int
    password_parallel: int
    password_length: int


class ImportScryptModifiedUser(ImportUser, frozen=True, kw_only=True, rename="camel"):
    """A user from Firebase, with the project's separator and key; all in base64."""

    password_salt: Text
    password_salt_separator: Text
    password_signer_key: Text


@routes.endpoint(
    "POST",
    "/v1/users/argon2",
    name="users.create_argon2_user",
    callers=Caller.KEY,
    scopes=("users.write",),
    status=201,
    errors=ERRORS,
)
async def create_argon2_user(call: Call[AuthDeps], params: ImportUser) -> User:
    """Create a user whose password is hashed with argon2."""
    return await _create(call, params, None)


@routes.endpoint(
    "POST",
    "/v1/users/bcrypt",
    name="users.create_bcrypt_user",
    callers=Caller.KEY,
    scopes=("users.write",),
    status=201,
    errors=ERRORS,
)
async def create_bcrypt_user(call: Call[AuthDeps], params: ImportUser) -> User:
    """Create a user whose password is hashed with bcrypt."""
    return await _create(call, params, Bcrypt.of(params.password))


@routes.endpoint(
    "POST",
    "/v1/users/md5",
    name="users.create_md5_user",
    callers=Caller.KEY,
    scopes=("users.write",),
    status=201,
    errors=ERRORS,
)
async def create_md5_user(call: Call[AuthDeps], params: ImportUser) -> User:
    """Create a user whose password is hashed with MD5."""
    return await _create(call, params, Md5())


@routes.endpoint(
    "POST",
    "/v1/users/phpass",
    name="users.create_ph_pass_user",
    callers=Caller.KEY,
    scopes=("users.write",),
    status=201,
    errors=ERRORS,
)
async def create_ph_pass_user(call: Call[AuthDeps], params: ImportUser) -> User:
    """Create a user whose password is hashed with phpass."""
    return await _create(call, params, Phpass.of(params.password))


@routes.endpoint(
    "POST",
    "/v1/users/scrypt",
    name="users.create_scrypt_user",
    callers=Caller.KEY,
    scopes=("users.write",),
    status=201,
    errors=ERRORS,
)
async def create_scrypt_user(call: Call[AuthDeps], params: ImportScryptUser) -> User:
    """Create a user whose password is hashed with scrypt."""
    kind = Scrypt(
        salt=params.password_salt,
        cpu=params.password_cpu,
        memory=params.password_memory,
        parallel=params.password_parallel,
        length=params.password_length,
    )
    return await _create(call, params, kind)


@routes.endpoint(
    "POST",
    "/v1/users/scrypt-modified",
    name="users.create_scrypt_modified_user",
    callers=Caller.KEY,
    scopes=("users.write",),
    status=201,
    errors=ERRORS,
)
async def create_scrypt_modified_user(call: Call[AuthDeps], params: ImportScryptModifiedUser) -> User:
    """Create a user whose password is hashed with Firebase's scrypt."""
    kind = ScryptModified(
        salt=params.password_salt,
        salt_separator=params.password_salt_separator,
        signer_key=params.password_signer_key,
    )
    return await _create(call, params, kind)


@routes.endpoint(
    "POST",
    "/v1/users/sha",
    name="users.create_sha_user",
    callers=Caller.KEY,
    scopes=("users.write",),
    status=201,
    errors=ERRORS,
)
async def create_sha_user(call: Call[AuthDeps], params: ImportShaUser) -> User:
    """Create a user whose password is hashed with SHA."""
    return await _create(call, params, Sha(version=params.password_version))


async def _create(call: Call[AuthDeps], params: ImportUser, kind: ForeignHash | None) -> User:
    """Make a user with a hash of this kind, None: of argon2."""
    new = NewUser(id=params.user_id, name=params.name, email=params.email)
    return user_model(await operations.import_user(call.deps, call.project, new=new, kind=kind, hash_=params.password))
