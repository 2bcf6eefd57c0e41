"""The two namings of the same things: Appwrite's TablesDB, and its older Databases."""

import re
from enum import StrEnum
from functools import lru_cache

_OLD = {
    "tablesdb": "databases",
    "tables_db": "databases",
    "a column": "an attribute",
    "column_index": "index",
    "table": "collection",
    "column": "attribute",
    "row": "document",
}
"""What TablesDB calls a thing, and what Databases does; the longer words first."""

_WORD = re.compile(rf"(?<![a-z])(?:{'|'.join(_OLD)})(?=s?(?![a-z]))|(?:Table|Column|Row)(?=s?(?![a-z]))")
_QUOTED = re.compile(r"""("[^"]*"|(?<!\w)'[^']*')""")


class Naming(StrEnum):
    """Whose words a caller hears; the value is the type of the databases that are made in them."""

    TABLES_DB = "tablesdb"
    DATABASES = "legacy"

    def word(self, tables_db_word: str) -> str:
        """Return the word for what TablesDB has this one for."""
        return tables_db_word if self is Naming.TABLES_DB else old_name(tables_db_word)


@lru_cache(maxsize=1024)
def old_name(name: str) -> str:
    """Return a name of TablesDB's in the words of Databases: `rowSecurity` is `documentSecurity`."""
    return _WORD.sub(_replaced, name)


def old_text(text: str) -> str:
    """Return a sentence in the words of Databases, but for what it quotes."""
    parts = _QUOTED.split(text)
    return "".join(part if place % 2 else _WORD.sub(_replaced, part) for place, part in enumerate(parts))


def _replaced(match: re.Match[str]) -> str:
    word = match[0]
    return _OLD.get(word) or _OLD[word.lower()].capitalize()
