"""Refusals: every error that a caller may see.

A `Refusal` has a public type (Appwrite's name of it), a message for people, and perhaps a time after which to try
again. Status codes are HTTP's business: the table is `shared.web.errors`. The cause, for logs, is `__cause__`.
"""

from enum import StrEnum


class ErrorType(StrEnum):
    """The public error types, in one list. Names are Appwrite's but for those that stand under "ours"."""

    GENERAL_ARGUMENT_INVALID = "general_argument_invalid"
    GENERAL_BAD_REQUEST = "general_bad_request"
    GENERAL_QUERY_INVALID = "general_query_invalid"
    GENERAL_CURSOR_NOT_FOUND = "general_cursor_not_found"
    GENERAL_UNAUTHORIZED_SCOPE = "general_unauthorized_scope"
    GENERAL_ACCESS_FORBIDDEN = "general_access_forbidden"
    GENERAL_UNKNOWN_ORIGIN = "general_unknown_origin"
    GENERAL_ROUTE_NOT_FOUND = "general_route_not_found"
    GENERAL_METHOD_UNSUPPORTED = "general_method_unsupported"
    GENERAL_RATE_LIMIT_EXCEEDED = "general_rate_limit_exceeded"
    GENERAL_SMTP_DISABLED = "general_smtp_disabled"
    GENERAL_SERVER_ERROR = "general_server_error"
    RESOURCE_ALREADY_EXISTS = "resource_already_exists"
    PROJECT_NOT_FOUND = "project_not_found"
    PROJECT_ALREADY_EXISTS = "project_already_exists"
    PROJECT_ID_MISSING = "project_id_missing"
    PROJECT_KEY_EXPIRED = "project_key_expired"
    KEY_NOT_FOUND = "key_not_found"
    KEY_ALREADY_EXISTS = "key_already_exists"
    KEY_CREATION_DENIED = "key_creation_denied"
    PLATFORM_NOT_FOUND = "platform_not_found"
    PLATFORM_ALREADY_EXISTS = "platform_already_exists"
    USER_NOT_FOUND = "user_not_found"
    USER_ALREADY_EXISTS = "user_already_exists"
    USER_COUNT_EXCEEDED = "user_count_exceeded"
    USER_BLOCKED = "user_blocked"
    USER_UNAUTHORIZED = "user_unauthorized"
    USER_INVALID_CREDENTIALS = "user_invalid_credentials"
    USER_INVALID_TOKEN = "user_invalid_token"  # noqa: S105 an error type, not a secret
    USER_TARGET_ALREADY_EXISTS = "user_target_already_exists"
    USER_SESSION_ALREADY_EXISTS = "user_session_already_exists"
    USER_SESSION_NOT_FOUND = "user_session_not_found"
    USER_JWT_INVALID = "user_jwt_invalid"
    USER_JWT_AND_COOKIE_SET = "user_jwt_and_cookie_set"
    USER_JWT_CREATION_DENIED = "user_jwt_creation_denied"
    USER_AUTH_METHOD_UNSUPPORTED = "user_auth_method_unsupported"
    TEAM_NOT_FOUND = "team_not_found"
    TEAM_ALREADY_EXISTS = "team_already_exists"
    TEAM_INVITE_NOT_FOUND = "team_invite_not_found"
    TEAM_INVITE_MISMATCH = "team_invite_mismatch"
    TEAM_INVALID_SECRET = "team_invalid_secret"  # noqa: S105 an error type, not a secret
    TEAM_MEMBERSHIP_MISMATCH = "team_membership_mismatch"
    MEMBERSHIP_NOT_FOUND = "membership_not_found"
    MEMBERSHIP_ALREADY_CONFIRMED = "membership_already_confirmed"
    DATABASE_NOT_FOUND = "database_not_found"
    DATABASE_ALREADY_EXISTS = "database_already_exists"
    DATABASE_TIMEOUT = "database_timeout"
    DATABASE_QUERY_ORDER_NULL = "database_query_order_null"
    TABLE_NOT_FOUND = "table_not_found"
    TABLE_ALREADY_EXISTS = "table_already_exists"
    COLUMN_NOT_FOUND = "column_not_found"
    COLUMN_UNKNOWN = "column_unknown"
    COLUMN_ALREADY_EXISTS = "column_already_exists"
    COLUMN_DEFAULT_UNSUPPORTED = "column_default_unsupported"
    COLUMN_VALUE_INVALID = "column_value_invalid"
    COLUMN_TYPE_INVALID = "column_type_invalid"
    COLUMN_LIMIT_EXCEEDED = "column_limit_exceeded"
    COLUMN_INVALID_RESIZE = "column_invalid_resize"
    COLUMN_INDEX_NOT_FOUND = "column_index_not_found"
    COLUMN_INDEX_ALREADY_EXISTS = "column_index_already_exists"
    COLUMN_INDEX_LIMIT_EXCEEDED = "column_index_limit_exceeded"
    COLUMN_INDEX_INVALID = "column_index_invalid"
    INDEX_INVALID = "index_invalid"
    ROW_NOT_FOUND = "row_not_found"
    ROW_ALREADY_EXISTS = "row_already_exists"
    ROW_UNIQUE_CONSTRAINT_VIOLATION = "row_unique_constraint_violation"
    ROW_MISSING_DATA = "row_missing_data"
    ROW_MISSING_PAYLOAD = "row_missing_payload"
    ROW_INVALID_STRUCTURE = "row_invalid_structure"
    ROW_UPDATE_CONFLICT = "row_update_conflict"
    TRANSACTION_NOT_FOUND = "transaction_not_found"

    # what Databases calls those of tables, columns, indexes and rows
    COLLECTION_NOT_FOUND = "collection_not_found"
    COLLECTION_ALREADY_EXISTS = "collection_already_exists"
    ATTRIBUTE_NOT_FOUND = "attribute_not_found"
    ATTRIBUTE_UNKNOWN = "attribute_unknown"
    ATTRIBUTE_ALREADY_EXISTS = "attribute_already_exists"
    ATTRIBUTE_DEFAULT_UNSUPPORTED = "attribute_default_unsupported"
    ATTRIBUTE_VALUE_INVALID = "attribute_value_invalid"
    ATTRIBUTE_TYPE_INVALID = "attribute_type_invalid"
    ATTRIBUTE_LIMIT_EXCEEDED = "attribute_limit_exceeded"
    ATTRIBUTE_INVALID_RESIZE = "attribute_invalid_resize"
    INDEX_NOT_FOUND = "index_not_found"
    INDEX_ALREADY_EXISTS = "index_already_exists"
    INDEX_LIMIT_EXCEEDED = "index_limit_exceeded"
    DOCUMENT_NOT_FOUND = "document_not_found"
    DOCUMENT_ALREADY_EXISTS = "document_already_exists"
    DOCUMENT_UNIQUE_CONSTRAINT_VIOLATION = "document_unique_constraint_violation"
    DOCUMENT_MISSING_DATA = "document_missing_data"
    DOCUMENT_MISSING_PAYLOAD = "document_missing_payload"
    DOCUMENT_INVALID_STRUCTURE = "document_invalid_structure"
    DOCUMENT_UPDATE_CONFLICT = "document_update_conflict"

    # ours
    GENERAL_PAYLOAD_TOO_LARGE = "general_payload_too_large"
    GENERAL_BUSY = "general_busy"
    PRINCIPAL_UNAVAILABLE = "principal_unavailable"
    REVOCATION_UNCONFIRMED = "revocation_unconfirmed"
    USER_RECENT_SIGN_IN_REQUIRED = "user_recent_sign_in_required"
    REVOCATION_NOT_FOUND = "revocation_not_found"
    SIGNING_KEY_NOT_FOUND = "signing_key_not_found"


class Refusal(Exception):
    """The request is refused, and the caller is told why.

    Domain code and operations raise it (or a subclass); services pass it over the bus to one another.
    """

    def __init__(self, type: ErrorType, message: str, *, retry_after_s: int | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.type = type
        self.message = message
        self.retry_after_s = retry_after_s


class ArgumentInvalid(Refusal):
    """A parameter is missing or does not hold what it must; the message names it, as Appwrite's does."""

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(ErrorType.GENERAL_ARGUMENT_INVALID, f"Invalid `{parameter}` param: {reason}")


class Unavailable(Refusal):
    """Something this request needs cannot be reached at the moment; trying again may work."""

    def __init__(self, message: str, *, type: ErrorType = ErrorType.PRINCIPAL_UNAVAILABLE) -> None:  # noqa: A002
        super().__init__(type, message, retry_after_s=1)
