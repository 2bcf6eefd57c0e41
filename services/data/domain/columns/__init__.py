"""The kinds of columns: one module each, with values that it takes and refuses; this is their registry."""

from types import ModuleType

from services.data.domain.columns import (
    bigint,
    boolean,
    datetime,
    email,
    enum,
    float,  # noqa: A004 the kind's name
    integer,
    ip,
    longtext,
    mediumtext,
    string,
    text,
    url,
    varchar,
)
from services.data.domain.columns.kind import Kind

MODULES: tuple[ModuleType, ...] = (
    string,
    varchar,
    text,
    mediumtext,
    longtext,
    integer,
    bigint,
    float,
    boolean,
    datetime,
    email,
    enum,
    ip,
    url,
)

KINDS: dict[str, Kind] = {module.KIND.name: module.KIND for module in MODULES}
"""By the name that a column is asked for with."""

INLINE = {name: name for name in KINDS if name != "float"} | {"double": "float"}
"""By the type that a column has inside the creation of a table."""
