"""Refusals: every error that a caller may see, in one table.

A `Refusal` has a public type (Appwrite's name of it), a message for people, and perhaps a time after which to try
again. The cause, for logs, is `__cause__`.
"""

from enum import StrEnum


class ErrorType(StrEnum):
    """The public error types: each with its HTTP status, and the message of a refusal that has nothing to add.

    Names and messages are Appwrite's but for those that stand under "ours".
    """

    def __new__(cls, value: str, status: int, message: str) -> "ErrorType":
        """Keep status and message beside the name."""
        self = str.__new__(cls, value)
        self._value_ = value
        self.status = status
        self.message = message
        return self

    status: int
    message: str

    GENERAL_ARGUMENT_INVALID = "general_argument_invalid", 400, "The request contains an invalid argument."
    GENERAL_BAD_REQUEST = "general_bad_request", 400, "The request is invalid."
    GENERAL_QUERY_INVALID = "general_query_invalid", 400, "The query's syntax is invalid."
    GENERAL_CURSOR_NOT_FOUND = (
        "general_cursor_not_found",
        400,
        "The item that the cursor names could not be found.",
    )
    GENERAL_UNAUTHORIZED_SCOPE = (
        "general_unauthorized_scope",
        401,
        "The current user or API key does not have the required scopes to access the requested resource.",
    )
    GENERAL_ACCESS_FORBIDDEN = "general_access_forbidden", 401, "Access to this API is forbidden."
    GENERAL_UNKNOWN_ORIGIN = "general_unknown_origin", 403, "The request originated from an unknown origin."
    GENERAL_ROUTE_NOT_FOUND = "general_route_not_found", 404, "The requested route was not found."
    GENERAL_RATE_LIMIT_EXCEEDED = (
        "general_rate_limit_exceeded",
        429,
        "Rate limit for the current endpoint has been exceeded. Please try again after some time.",
    )
    GENERAL_SMTP_DISABLED = (
        "general_smtp_disabled",
        503,
        "Invitations are not sent here: the operator has said nowhere where to.",
    )
    GENERAL_SERVER_ERROR = (
        "general_server_error",
        500,
        "The server has failed to answer. Its log has the cause, under the id in X-Request-Id.",
    )
    RESOURCE_ALREADY_EXISTS = "resource_already_exists", 409, "A membership with the requested ID already exists."
    PROJECT_NOT_FOUND = "project_not_found", 404, "Project with the requested ID could not be found."
    PROJECT_ALREADY_EXISTS = "project_already_exists", 409, "Project with the requested ID already exists."
    PROJECT_ID_MISSING = (
        "project_id_missing",
        403,
        "An API key needs the header X-Appwrite-Project with the key's project.",
    )
    PROJECT_KEY_EXPIRED = "project_key_expired", 401, "The API key has expired."
    KEY_NOT_FOUND = "key_not_found", 404, "Key with the requested ID could not be found."
    KEY_ALREADY_EXISTS = "key_already_exists", 409, "Key with the requested ID already exists."
    KEY_CREATION_DENIED = "key_creation_denied", 403, "A key cannot create keys. Use: daypass key create"
    PLATFORM_NOT_FOUND = "platform_not_found", 404, "Platform with the requested ID could not be found."
    PLATFORM_ALREADY_EXISTS = "platform_already_exists", 409, "Platform with the requested ID already exists."
    USER_NOT_FOUND = "user_not_found", 404, "User with the requested ID could not be found."
    USER_ALREADY_EXISTS = (
        "user_already_exists",
        409,
        "A user with the same id, email, or phone already exists in this project.",
    )
    USER_COUNT_EXCEEDED = "user_count_exceeded", 400, "The project has reached its limit of users."
    USER_BLOCKED = "user_blocked", 403, "The current user has been blocked."
    USER_UNAUTHORIZED = (
        "user_unauthorized",
        401,
        "The current user is not authorized to perform the requested action.",
    )
    USER_INVALID_CREDENTIALS = (
        "user_invalid_credentials",
        401,
        "Invalid credentials. Please check the email and password.",
    )
    USER_INVALID_TOKEN = "user_invalid_token", 401, "Invalid token passed in the request."
    USER_TARGET_ALREADY_EXISTS = "user_target_already_exists", 409, "A user with this address already exists."
    USER_SESSION_ALREADY_EXISTS = (
        "user_session_already_exists",
        401,
        "Creation of a session is prohibited when a session is active.",
    )
    USER_SESSION_NOT_FOUND = "user_session_not_found", 404, "The current user session could not be found."
    USER_JWT_INVALID = "user_jwt_invalid", 401, "Failed to verify JWT."
    USER_JWT_AND_COOKIE_SET = (
        "user_jwt_and_cookie_set",
        403,
        "API requests may carry either a session or a JWT. Please use one of them.",
    )
    USER_JWT_CREATION_DENIED = (
        "user_jwt_creation_denied",
        403,
        "A JWT cannot be made from a JWT. Use a session.",
    )
    USER_AUTH_METHOD_UNSUPPORTED = (
        "user_auth_method_unsupported",
        501,
        "This method of authentication is disabled.",
    )
    TEAM_NOT_FOUND = "team_not_found", 404, "Team with the requested ID could not be found."
    TEAM_ALREADY_EXISTS = "team_already_exists", 409, "Team with requested ID already exists."
    TEAM_INVITE_NOT_FOUND = "team_invite_not_found", 404, "The requested team invitation could not be found."
    TEAM_INVITE_MISMATCH = "team_invite_mismatch", 401, "The invite does not belong to the current user."
    TEAM_INVALID_SECRET = "team_invalid_secret", 401, "The team invitation secret is invalid."
    TEAM_MEMBERSHIP_MISMATCH = "team_membership_mismatch", 404, "The membership does not belong to this team."
    MEMBERSHIP_NOT_FOUND = "membership_not_found", 404, "Membership with the requested ID could not be found."
    MEMBERSHIP_ALREADY_CONFIRMED = "membership_already_confirmed", 409, "Membership is already confirmed."
    DATABASE_NOT_FOUND = "database_not_found", 404, "Database with the requested ID could not be found."
    DATABASE_ALREADY_EXISTS = "database_already_exists", 409, "Database with the requested ID already exists."
    DATABASE_TIMEOUT = "database_timeout", 408, "The database took too long."
    DATABASE_QUERY_ORDER_NULL = (
        "database_query_order_null",
        400,
        "The cursor's item has no value in a column of the order.",
    )
    TABLE_NOT_FOUND = "table_not_found", 404, "Table with the requested ID could not be found."
    TABLE_ALREADY_EXISTS = "table_already_exists", 409, "Table with the requested ID already exists."
    COLUMN_NOT_FOUND = "column_not_found", 404, "Column with the requested key could not be found."
    COLUMN_UNKNOWN = "column_unknown", 400, "The index names a column that does not exist."
    COLUMN_ALREADY_EXISTS = "column_already_exists", 409, "Column with the requested key already exists."
    COLUMN_DEFAULT_UNSUPPORTED = (
        "column_default_unsupported",
        400,
        "Default values cannot be set for array or required columns.",
    )
    COLUMN_VALUE_INVALID = "column_value_invalid", 400, "The column value is invalid."
    COLUMN_TYPE_INVALID = "column_type_invalid", 400, "The column type is invalid."
    COLUMN_LIMIT_EXCEEDED = (
        "column_limit_exceeded",
        400,
        "The table has reached its limit of columns or bytes.",
    )
    COLUMN_INVALID_RESIZE = (
        "column_invalid_resize",
        400,
        "The column has values that are longer than the new size.",
    )
    COLUMN_INDEX_NOT_FOUND = "column_index_not_found", 404, "Index with the requested key could not be found."
    COLUMN_INDEX_ALREADY_EXISTS = (
        "column_index_already_exists",
        409,
        "Index with the requested key already exists.",
    )
    COLUMN_INDEX_LIMIT_EXCEEDED = (
        "column_index_limit_exceeded",
        400,
        "The table has reached its limit of indexes.",
    )
    COLUMN_INDEX_INVALID = "column_index_invalid", 400, "The index is invalid."
    INDEX_INVALID = "index_invalid", 400, "The index is invalid."
    ROW_NOT_FOUND = "row_not_found", 404, "Row with the requested ID could not be found."
    ROW_ALREADY_EXISTS = "row_already_exists", 409, "Row with the requested ID already exists."
    ROW_UNIQUE_CONSTRAINT_VIOLATION = (
        "row_unique_constraint_violation",
        409,
        "A row with these values of a unique index already exists.",
    )
    ROW_MISSING_DATA = "row_missing_data", 400, "The row's data or its id is missing."
    ROW_MISSING_PAYLOAD = "row_missing_payload", 400, "The row's data or permissions are missing."
    ROW_INVALID_STRUCTURE = "row_invalid_structure", 400, "Invalid document structure."
    ROW_UPDATE_CONFLICT = "row_update_conflict", 409, "The row has been changed since that time."
    TRANSACTION_NOT_FOUND = "transaction_not_found", 404, "Transaction with the requested ID could not be found."

    # what Databases calls those of tables, columns, indexes and rows
    COLLECTION_NOT_FOUND = "collection_not_found", 404, "Collection with the requested ID could not be found."
    COLLECTION_ALREADY_EXISTS = "collection_already_exists", 409, "Collection with the requested ID already exists."
    ATTRIBUTE_NOT_FOUND = "attribute_not_found", 404, "Attribute with the requested key could not be found."
    ATTRIBUTE_UNKNOWN = "attribute_unknown", 400, "The index names an attribute that does not exist."
    ATTRIBUTE_ALREADY_EXISTS = "attribute_already_exists", 409, "Attribute with the requested key already exists."
    ATTRIBUTE_DEFAULT_UNSUPPORTED = (
        "attribute_default_unsupported",
        400,
        "Default values cannot be set for array or required attributes.",
    )
    ATTRIBUTE_VALUE_INVALID = "attribute_value_invalid", 400, "The attribute value is invalid."
    ATTRIBUTE_TYPE_INVALID = "attribute_type_invalid", 400, "The attribute type is invalid."
    ATTRIBUTE_LIMIT_EXCEEDED = (
        "attribute_limit_exceeded",
        400,
        "The collection has reached its limit of attributes or bytes.",
    )
    ATTRIBUTE_INVALID_RESIZE = (
        "attribute_invalid_resize",
        400,
        "The attribute has values that are longer than the new size.",
    )
    INDEX_NOT_FOUND = "index_not_found", 404, "Index with the requested key could not be found."
    INDEX_ALREADY_EXISTS = "index_already_exists", 409, "Index with the requested key already exists."
    INDEX_LIMIT_EXCEEDED = "index_limit_exceeded", 400, "The collection has reached its limit of indexes."
    DOCUMENT_NOT_FOUND = "document_not_found", 404, "Document with the requested ID could not be found."
    DOCUMENT_ALREADY_EXISTS = "document_already_exists", 409, "Document with the requested ID already exists."
    DOCUMENT_UNIQUE_CONSTRAINT_VIOLATION = (
        "document_unique_constraint_violation",
        409,
        "A document with these values of a unique index already exists.",
    )
    DOCUMENT_MISSING_DATA = "document_missing_data", 400, "The document's data or its id is missing."
    DOCUMENT_MISSING_PAYLOAD = "document_missing_payload", 400, "The document's data or permissions are missing."
    DOCUMENT_INVALID_STRUCTURE = "document_invalid_structure", 400, "Invalid document structure."
    DOCUMENT_UPDATE_CONFLICT = "document_update_conflict", 409, "The document has been changed since that time."
    STORAGE_BUCKET_NOT_FOUND = (
        "storage_bucket_not_found",
        404,
        "Storage bucket with the requested ID could not be found.",
    )
    STORAGE_BUCKET_ALREADY_EXISTS = (
        "storage_bucket_already_exists",
        409,
        "A storage bucket with the requested ID already exists.",
    )
    STORAGE_FILE_ALREADY_EXISTS = (
        "storage_file_already_exists",
        409,
        "A storage file with the requested ID already exists.",
    )
    STORAGE_FILE_EMPTY = "storage_file_empty", 400, "Empty file passed to the endpoint."
    STORAGE_FILE_TYPE_UNSUPPORTED = "storage_file_type_unsupported", 400, "The given file extension is not supported."
    STORAGE_INVALID_FILE_SIZE = (
        "storage_invalid_file_size",
        400,
        "The file size is either not valid or exceeds the maximum allowed size.",
    )
    STORAGE_INVALID_CONTENT_RANGE = "storage_invalid_content_range", 400, "The content range is invalid."
    STORAGE_INVALID_APPWRITE_ID = (
        "storage_invalid_appwrite_id",
        400,
        "The value for x-appwrite-id header is invalid.",
    )
    STORAGE_FILE_NOT_FOUND = "storage_file_not_found", 404, "The requested file could not be found."
    STORAGE_INVALID_RANGE = "storage_invalid_range", 416, "The requested range is not satisfiable."

    # ours
    GENERAL_PAYLOAD_TOO_LARGE = "general_payload_too_large", 413, "The body of this request is too large."
    GENERAL_BUSY = "general_busy", 503, "Too many requests at the moment. Try again."
    PRINCIPAL_UNAVAILABLE = "principal_unavailable", 503, "The caller's rights cannot be checked. Try again."
    REVOCATION_UNCONFIRMED = (
        "revocation_unconfirmed",
        503,
        "The change is made, but not yet confirmed everywhere. Repeat the call to wait for the confirmation.",
    )
    COLUMN_DECRYPTION_FAILED = (
        "column_decryption_failed",
        503,
        "The value of an encrypted column cannot be decrypted.",
    )
    ATTRIBUTE_DECRYPTION_FAILED = (
        "attribute_decryption_failed",
        503,
        "The value of an encrypted attribute cannot be decrypted.",
    )
    USER_RECENT_SIGN_IN_REQUIRED = "user_recent_sign_in_required", 401, "Sign in again."
    REVOCATION_NOT_FOUND = "revocation_not_found", 404, "Revocation with the requested number could not be found."
    SIGNING_KEY_NOT_FOUND = "signing_key_not_found", 404, "Signing key with the requested ID could not be found."


class Refusal(Exception):
    """The request is refused, and the answer says why: in the words of its type, or in others that say more.

    Domain code and operations raise it (or a subclass); services pass it over the bus to one another.
    """

    def __init__(self, type: ErrorType, message: str = "", *, retry_after_s: int | None = None) -> None:  # noqa: A002
        self.type = type
        self.message = message or type.message
        self.retry_after_s = retry_after_s
        super().__init__(self.message)


class ArgumentInvalid(Refusal):
    """A parameter is missing or does not hold what it must; the message names it, as Appwrite's does."""

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(ErrorType.GENERAL_ARGUMENT_INVALID, f"Invalid `{parameter}` param: {reason}")


class Unavailable(Refusal):
    """Something this request needs cannot be reached at the moment; trying again may work."""

    def __init__(self, message: str, *, type: ErrorType = ErrorType.PRINCIPAL_UNAVAILABLE) -> None:  # noqa: A002
        super().__init__(type, message, retry_after_s=1)
