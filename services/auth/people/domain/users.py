"""Users: what lists of them may be filtered and ordered by."""

from shared.queries.fields import boolean, date, fields, text

USER_LIST_FIELDS = fields(
    {
        "name": text,
        "email": text,
        "phone": text,
        "status": boolean,
        "passwordUpdate": date,
        "registration": date,
        "emailVerification": boolean,
        "phoneVerification": boolean,
        "labels": text,
        "accessedAt": date,
    },
    arrays=frozenset({"labels"}),
)
