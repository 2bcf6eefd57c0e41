"""Appwrite's endpoints that are not here, and why: for callers, and for the tables of the documentation.

By the beginning of the path, without `/v1`, with `{}` for what stands for a value in it. The longest that fits counts.
"""

REASONS = {
    # services of their own
    "/activities": "A log of what was done there; Daypass keeps receipts of revocations.",
    "/reports": "Appwrite Cloud's own.",
    "/apps": "Daypass lets nobody sign in elsewhere.",
    "/avatars": "Pictures are not its subject.",
    "/backups": "The operator calls daypass backup.",
    "/databases/transactions": "Transactions are not there yet.",
    "/documentsdb": "Rows live in PostgreSQL's tables.",
    "/domains": "The operator's proxy looks after domains.",
    "/embeddings": "Models are not its subject.",
    "/functions": "Backends of your own act for a user by a JWT; that is what it is for.",
    "/graphql": "The REST API is all there is.",
    "/locale": "Countries and languages are not its subject.",
    "/messaging": "Messages are not its subject.",
    "/mongo": "Rows live in PostgreSQL's tables.",
    "/mysql": "Rows live in PostgreSQL's tables.",
    "/oauth2": "Daypass lets nobody sign in elsewhere.",
    "/organization": "Projects are the operator's, by `daypass project`.",
    "/postgresql": "Rows live in PostgreSQL's tables.",
    "/presences": "Not there yet.",
    "/proxy": "The operator's proxy looks after domains.",
    "/sites": "Sites are not its subject.",
    "/storage/buckets/{}/files/{}/preview": "Previews are not there yet.",
    "/tokens": "Tokens of files are not there yet.",
    "/vectorsdb": "Rows live in PostgreSQL's tables.",
    "/waf": "Appwrite Cloud's own.",
    "/webhooks": "Not there yet.",
    # accounts and users
    "/account/consents": "Daypass lets nobody sign in elsewhere.",
    "/account/identities": "Sign-in by other providers (OAuth2) is not there yet.",
    "/account/mfa": "Second factors are not there yet.",
    "/account/passkeys": "Second factors are not there yet.",
    "/account/recovery": "Mail is not sent yet; a backend sets a new password.",
    "/account/sessions/id-token": "Sign-in by other providers (OAuth2) is not there yet.",
    "/account/sessions/magic-url": "Sign-in by mail or text message is not there yet.",
    "/account/sessions/oauth2": "Sign-in by other providers (OAuth2) is not there yet.",
    "/account/sessions/phone": "Sign-in by mail or text message is not there yet.",
    "/account/targets": "Messages are not its subject.",
    "/account/tokens/oauth2": "Sign-in by other providers (OAuth2) is not there yet.",
    "/account/tokens/passkey": "Second factors are not there yet.",
    "/account/tokens": "Sign-in by mail or text message is not there yet.",
    "/account/verifications": "Mail is not sent yet; a backend says who is verified.",
    "/teams/{}/installations": "Daypass lets nobody sign in elsewhere.",
    "/users/identities": "Sign-in by other providers (OAuth2) is not there yet.",
    "/users/{}/impersonator": "A backend acts for a user by a JWT.",
    "/users/{}/mfa": "Second factors are not there yet.",
    "/users/{}/passkeys": "Second factors are not there yet.",
    "/users/{}/targets": "Messages are not its subject.",
    # databases
    "/databases/{}/collections/{}/attributes/line": "Spatial columns are not there yet.",
    "/databases/{}/collections/{}/attributes/point": "Spatial columns are not there yet.",
    "/databases/{}/collections/{}/attributes/polygon": "Spatial columns are not there yet.",
    "/databases/{}/collections/{}/attributes/relationship": "Relationships are not there yet.",
    "/databases/{}/collections/{}/documents/query": "Queries go with the list itself.",
    "/tablesdb/specifications": "Appwrite Cloud's own; the operator looks after PostgreSQL.",
    "/tablesdb/transactions": "Transactions are not there yet.",
    "/tablesdb/{}/failovers": "Appwrite Cloud's own; the operator looks after PostgreSQL.",
    "/tablesdb/{}/migrations": "Appwrite Cloud's own; the operator looks after PostgreSQL.",
    "/tablesdb/{}/operations": "Appwrite Cloud's own; the operator looks after PostgreSQL.",
    "/tablesdb/{}/replicas": "Appwrite Cloud's own; the operator looks after PostgreSQL.",
    "/tablesdb/{}/status": "Appwrite Cloud's own; the operator looks after PostgreSQL.",
    "/tablesdb/{}/tables/{}/columns/line": "Spatial columns are not there yet.",
    "/tablesdb/{}/tables/{}/columns/point": "Spatial columns are not there yet.",
    "/tablesdb/{}/tables/{}/columns/polygon": "Spatial columns are not there yet.",
    "/tablesdb/{}/tables/{}/columns/relationship": "Relationships are not there yet.",
    "/tablesdb/{}/tables/{}/rows/query": "Queries go with the list itself.",
    # projects
    "/project": "The operator makes and deletes projects, by `daypass project`.",
    "/project/environments": "Functions are not its subject.",
    "/project/keys/ephemeral": "A backend acts for a user by a JWT.",
    "/project/labels": "Appwrite Cloud's own.",
    "/project/mock-phones": "Sign-in by mail or text message is not there yet.",
    "/project/oauth2": "Sign-in by other providers (OAuth2) is not there yet.",
    "/project/oauth2-server": "Daypass lets nobody sign in elsewhere.",
    "/project/platforms": "The operator allows apps by their identifiers: `daypass project update --add-origin ID`.",
    "/project/policies": "Other policies than those listed are not there yet.",
    "/project/protocols": "REST is the only protocol.",
    "/project/services": "Services are not switched off one by one.",
    "/project/smtp": "Mail is not sent yet.",
    "/project/templates": "Mail is not sent yet.",
    "/project/variables": "Functions are not its subject.",
}

_PREFIX = "/v1"


def place_of(path: str) -> str | None:
    """Return the key of `REASONS` that fits a path without `/v1`, None where none does."""
    segments = path.split("/")
    return max((known for known in REASONS if _begins(segments, known.split("/"))), key=len, default=None)


def why_absent(path: str) -> str:
    """Return what to tell a caller of a path that is not served; empty unless it is an endpoint of Appwrite's."""
    place = place_of(path.removeprefix(_PREFIX)) if path.startswith(f"{_PREFIX}/") else None
    return "" if place is None else f"Daypass does not have this endpoint. {REASONS[place]}"


def _begins(segments: list[str], known: list[str]) -> bool:
    return len(segments) >= len(known) and all(
        name in {"{}", segment} for name, segment in zip(known, segments, strict=False)
    )
