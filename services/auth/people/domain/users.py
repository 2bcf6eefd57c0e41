"""Users: what their names and labels may be, and what lists of them may be filtered and ordered by."""

import re

from shared.kernel.errors import ArgumentInvalid
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

LONGEST_NAME = 128
MOST_LABELS = 1000
LABEL = r"^[A-Za-z0-9]{1,36}\Z"
_LABEL = re.compile(LABEL)


def check_name(name: str) -> None:
    """Raise `ArgumentInvalid` where a name is too long."""
    if len(name) > LONGEST_NAME:
        raise ArgumentInvalid("name", f"Value must be at most {LONGEST_NAME} characters long")


def check_labels(labels: list[str]) -> None:
    """Raise `ArgumentInvalid` where labels are too many, or one has other characters than letters and digits."""
    if len(labels) > MOST_LABELS or not all(map(_LABEL.match, labels)):
        reason = f"Value must be at most {MOST_LABELS} labels, each of 1 to 36 letters A-Z, a-z and digits"
        raise ArgumentInvalid("labels", reason)
