"""The kinds of columns, with values that each takes and refuses; this is their registry."""

from services.data.domain.columns import (
    bigint,
    boolean,
    datetime,
    email,
    enum,
    float,  # noqa: A004 the kind's name
    integer,
    ip,
    string,
    texts,
    url,
    varchar,
)
from services.data.domain.columns.kind import Kind

ALL: tuple[Kind, ...] = (
    string.KIND,
    varchar.KIND,
    texts.TEXT,
    texts.MEDIUMTEXT,
    texts.LONGTEXT,
    integer.KIND,
    bigint.KIND,
    float.KIND,
    boolean.KIND,
    datetime.KIND,
    email.KIND,
    enum.KIND,
    ip.KIND,
    url.KIND,
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in ALL}
"""By the name with which a column is requested."""

INLINE = {name: name for name in KINDS if name != "float"} | {"double": "float"}
"""By the type that a column has inside the creation of a table."""
