"""Errors on the wire: the one table from public error type to status, and the JSON that a caller sees."""

import msgspec

from shared.kernel.errors import ErrorType, Refusal

API_VERSION = "1.9.6"
"""The version of Appwrite's API that is spoken here."""

NO_STORE = (
    ("Cache-Control", "no-cache, no-store, must-revalidate"),
    ("Expires", "0"),
    ("Pragma", "no-cache"),
)

STATUSES: dict[ErrorType, int] = {
    ErrorType.GENERAL_ARGUMENT_INVALID: 400,
    ErrorType.GENERAL_BAD_REQUEST: 400,
    ErrorType.GENERAL_QUERY_INVALID: 400,
    ErrorType.GENERAL_CURSOR_NOT_FOUND: 400,
    ErrorType.USER_COUNT_EXCEEDED: 400,
    ErrorType.DATABASE_QUERY_ORDER_NULL: 400,
    ErrorType.COLUMN_UNKNOWN: 400,
    ErrorType.COLUMN_DEFAULT_UNSUPPORTED: 400,
    ErrorType.COLUMN_VALUE_INVALID: 400,
    ErrorType.COLUMN_TYPE_INVALID: 400,
    ErrorType.COLUMN_LIMIT_EXCEEDED: 400,
    ErrorType.COLUMN_INVALID_RESIZE: 400,
    ErrorType.COLUMN_INDEX_LIMIT_EXCEEDED: 400,
    ErrorType.COLUMN_INDEX_INVALID: 400,
    ErrorType.INDEX_INVALID: 400,
    ErrorType.ROW_MISSING_DATA: 400,
    ErrorType.ROW_MISSING_PAYLOAD: 400,
    ErrorType.ROW_INVALID_STRUCTURE: 400,
    ErrorType.ATTRIBUTE_UNKNOWN: 400,
    ErrorType.ATTRIBUTE_DEFAULT_UNSUPPORTED: 400,
    ErrorType.ATTRIBUTE_VALUE_INVALID: 400,
    ErrorType.ATTRIBUTE_TYPE_INVALID: 400,
    ErrorType.ATTRIBUTE_LIMIT_EXCEEDED: 400,
    ErrorType.ATTRIBUTE_INVALID_RESIZE: 400,
    ErrorType.INDEX_LIMIT_EXCEEDED: 400,
    ErrorType.DOCUMENT_MISSING_DATA: 400,
    ErrorType.DOCUMENT_MISSING_PAYLOAD: 400,
    ErrorType.DOCUMENT_INVALID_STRUCTURE: 400,
    ErrorType.GENERAL_UNAUTHORIZED_SCOPE: 401,
    ErrorType.GENERAL_ACCESS_FORBIDDEN: 401,
    ErrorType.PROJECT_KEY_EXPIRED: 401,
    ErrorType.USER_UNAUTHORIZED: 401,
    ErrorType.USER_INVALID_CREDENTIALS: 401,
    ErrorType.USER_INVALID_TOKEN: 401,
    ErrorType.USER_SESSION_ALREADY_EXISTS: 401,
    ErrorType.USER_JWT_INVALID: 401,
    ErrorType.USER_RECENT_SIGN_IN_REQUIRED: 401,
    ErrorType.TEAM_INVALID_SECRET: 401,
    ErrorType.TEAM_INVITE_MISMATCH: 401,
    ErrorType.GENERAL_UNKNOWN_ORIGIN: 403,
    ErrorType.PROJECT_ID_MISSING: 403,
    ErrorType.KEY_CREATION_DENIED: 403,
    ErrorType.USER_BLOCKED: 403,
    ErrorType.USER_JWT_AND_COOKIE_SET: 403,
    ErrorType.USER_JWT_CREATION_DENIED: 403,
    ErrorType.GENERAL_ROUTE_NOT_FOUND: 404,
    ErrorType.GENERAL_METHOD_UNSUPPORTED: 404,
    ErrorType.PROJECT_NOT_FOUND: 404,
    ErrorType.KEY_NOT_FOUND: 404,
    ErrorType.PLATFORM_NOT_FOUND: 404,
    ErrorType.USER_NOT_FOUND: 404,
    ErrorType.USER_SESSION_NOT_FOUND: 404,
    ErrorType.TEAM_NOT_FOUND: 404,
    ErrorType.TEAM_INVITE_NOT_FOUND: 404,
    ErrorType.TEAM_MEMBERSHIP_MISMATCH: 404,
    ErrorType.MEMBERSHIP_NOT_FOUND: 404,
    ErrorType.DATABASE_NOT_FOUND: 404,
    ErrorType.TABLE_NOT_FOUND: 404,
    ErrorType.COLUMN_NOT_FOUND: 404,
    ErrorType.COLUMN_INDEX_NOT_FOUND: 404,
    ErrorType.ROW_NOT_FOUND: 404,
    ErrorType.SIGNING_KEY_NOT_FOUND: 404,
    ErrorType.REVOCATION_NOT_FOUND: 404,
    ErrorType.COLLECTION_NOT_FOUND: 404,
    ErrorType.ATTRIBUTE_NOT_FOUND: 404,
    ErrorType.INDEX_NOT_FOUND: 404,
    ErrorType.DOCUMENT_NOT_FOUND: 404,
    ErrorType.DATABASE_TIMEOUT: 408,
    ErrorType.PROJECT_ALREADY_EXISTS: 409,
    ErrorType.KEY_ALREADY_EXISTS: 409,
    ErrorType.PLATFORM_ALREADY_EXISTS: 409,
    ErrorType.USER_ALREADY_EXISTS: 409,
    ErrorType.USER_TARGET_ALREADY_EXISTS: 409,
    ErrorType.TEAM_ALREADY_EXISTS: 409,
    ErrorType.MEMBERSHIP_ALREADY_CONFIRMED: 409,
    ErrorType.RESOURCE_ALREADY_EXISTS: 409,
    ErrorType.DATABASE_ALREADY_EXISTS: 409,
    ErrorType.TABLE_ALREADY_EXISTS: 409,
    ErrorType.COLUMN_ALREADY_EXISTS: 409,
    ErrorType.COLUMN_INDEX_ALREADY_EXISTS: 409,
    ErrorType.ROW_ALREADY_EXISTS: 409,
    ErrorType.ROW_UNIQUE_CONSTRAINT_VIOLATION: 409,
    ErrorType.ROW_UPDATE_CONFLICT: 409,
    ErrorType.TRANSACTION_NOT_FOUND: 404,
    ErrorType.COLLECTION_ALREADY_EXISTS: 409,
    ErrorType.ATTRIBUTE_ALREADY_EXISTS: 409,
    ErrorType.INDEX_ALREADY_EXISTS: 409,
    ErrorType.DOCUMENT_ALREADY_EXISTS: 409,
    ErrorType.DOCUMENT_UNIQUE_CONSTRAINT_VIOLATION: 409,
    ErrorType.DOCUMENT_UPDATE_CONFLICT: 409,
    ErrorType.GENERAL_PAYLOAD_TOO_LARGE: 413,
    ErrorType.GENERAL_RATE_LIMIT_EXCEEDED: 429,
    ErrorType.GENERAL_SERVER_ERROR: 500,
    ErrorType.USER_AUTH_METHOD_UNSUPPORTED: 501,
    ErrorType.GENERAL_BUSY: 503,
    ErrorType.GENERAL_SMTP_DISABLED: 503,
    ErrorType.PRINCIPAL_UNAVAILABLE: 503,
    ErrorType.REVOCATION_UNCONFIRMED: 503,
}


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "type"}):
    """An error as Appwrite writes it; `code` is the HTTP status."""

    message: str
    code: int
    kind: str
    version: str = API_VERSION


def error_body(refusal: Refusal) -> tuple[int, bytes]:
    """Return the status of a refusal and its JSON."""
    status = STATUSES[refusal.type]
    # A message may quote what the caller sent, and that need not be text that UTF-8 can carry.
    message = refusal.message.encode("utf-8", "replace").decode()
    return status, msgspec.json.encode(ErrorBody(message=message, code=status, kind=refusal.type.value))


def error_headers(refusal: Refusal) -> tuple[tuple[str, str], ...]:
    """Return the headers that every error carries, with `Retry-After` where trying again makes sense."""
    if refusal.retry_after_s is None:
        return NO_STORE
    return (*NO_STORE, ("Retry-After", str(refusal.retry_after_s)))
