"""Users: what lists of them may be filtered and ordered by."""

from services.auth.lists.domain.list_queries import Attribute, Kind

USER_ATTRIBUTES = {
    "$id": Attribute("users.id"),
    "$sequence": Attribute("users.sequence", Kind.NUMBER),
    "$createdAt": Attribute("users.created_at", Kind.DATE),
    "$updatedAt": Attribute("users.updated_at", Kind.DATE),
    "name": Attribute("users.name"),
    "email": Attribute("users.email"),
    "phone": Attribute("users.phone"),
    "status": Attribute("users.enabled", Kind.BOOLEAN),
    "passwordUpdate": Attribute("users.password_updated_at", Kind.DATE),
    "registration": Attribute("users.created_at", Kind.DATE),
    "emailVerification": Attribute("users.email_verified", Kind.BOOLEAN),
    "phoneVerification": Attribute("users.phone_verified", Kind.BOOLEAN),
    "labels": Attribute("users.labels", Kind.TEXTS),
    "accessedAt": Attribute("users.accessed_at", Kind.DATE),
}
