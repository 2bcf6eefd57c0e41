"""What `search` of a list finds: a text anywhere, and a phrase in double quotes where its words follow one another.

Words end at everything but letters, digits and underscores, as in full-text search.
"""

import re

_WORDS = re.compile(r"\w+")


def is_phrase(search: str) -> bool:
    """Return whether a text to search for is a phrase in double quotes."""
    stripped = search.strip()
    return len(stripped) > 1 and stripped[0] == stripped[-1] == '"'


def is_found(search: str, text: str) -> bool:
    """Return whether a search finds a text, in any case."""
    if not is_phrase(search):
        return search.lower() in text.lower()
    words = _words(search)
    return bool(words) and f" {words} " in f" {_words(text)} "


def _words(text: str) -> str:
    return " ".join(_WORDS.findall(text.lower()))
