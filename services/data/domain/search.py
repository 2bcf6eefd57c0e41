"""Searching for words: what callers type, in the language that PostgreSQL's `to_tsquery` reads."""

import re

from shared.queries.search import is_phrase

LONGEST_WORD_BYTES = 2_000
_WORDS = re.compile(r"\w+")


def search_text(text: str) -> str:
    """Return the search for any of a text's words, the last of which may go on, or for a phrase in double quotes.

    Words longer than any that is indexed are left out.
    """
    words = [word for word in _WORDS.findall(text) if len(word.encode()) <= LONGEST_WORD_BYTES]
    if is_phrase(text):
        return f"'{' '.join(words)}'" if words else ""
    return " | ".join(f"'{word}'" for word in words) + (":*" if words else "")
