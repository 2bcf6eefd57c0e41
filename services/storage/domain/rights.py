"""Who may do what with the files of a bucket: decided before anything else is looked at.

The bucket's own permissions grant for all files; with file security, a file's permissions grant for that file too.
Creating needs the bucket's. A key may do everything. No answer differs by what its caller may not read: a file that is
hidden is one that is not there, and to clients a bucket that is not there is one that grants nothing.
"""

from datetime import UTC, datetime

from services.storage.domain.buckets import BUCKET_ACTIONS, Bucket
from shared.appwrite.permissions import grants, open_roles
from shared.contracts.principal import Kind, Principal
from shared.kernel.errors import ErrorType, Refusal

_EPOCH = datetime.fromtimestamp(0, UTC)
_CLOSED = Bucket(
    sequence=0,
    id="",
    created_at=_EPOCH,
    updated_at=_EPOCH,
    name="",
    permissions=[],
    file_security=False,
    enabled=True,
    maximum_file_size=0,
    allowed_file_extensions=[],
    compression="none",
    encryption=True,
    transformations=False,
    total_size=0,
)


def roles_for(bucket: Bucket, action: str, principal: Principal) -> list[str] | None:
    """Return the roles by which single files may be open; None: all files are; empty: none can be."""
    return open_roles(principal, action, permissions=bucket.permissions, has_item_security=bucket.file_security)


def usable_bucket(bucket: Bucket | None, principal: Principal) -> Bucket:
    """Return the bucket that a caller deals with.

    Raises `Refusal(STORAGE_BUCKET_NOT_FOUND)`: to keys for what is not there, to clients for what they could use if it
    were enabled.
    """
    if bucket is None:
        if principal.kind is Kind.KEY:
            raise Refusal(ErrorType.STORAGE_BUCKET_NOT_FOUND)
        return _CLOSED
    if not bucket.enabled and principal.kind is not Kind.KEY and not _is_closed(bucket, principal):
        raise Refusal(ErrorType.STORAGE_BUCKET_NOT_FOUND)
    return bucket


def require_create(bucket: Bucket, principal: Principal) -> None:
    """Raise `Refusal(USER_UNAUTHORIZED)` unless a caller may create files in a bucket."""
    if principal.kind is not Kind.KEY and not grants(bucket.permissions, "create", principal.roles):
        raise Refusal(ErrorType.USER_UNAUTHORIZED)


def may(permissions: list[str], action: str, roles: list[str] | None) -> bool:
    """Return whether a file is open to an action by its permissions, of `roles_for` its bucket."""
    return roles is None or grants(permissions, action, roles)


def _is_closed(bucket: Bucket, principal: Principal) -> bool:
    if bucket.file_security:
        return False
    return not any(grants(bucket.permissions, action, principal.roles) for action in BUCKET_ACTIONS)
