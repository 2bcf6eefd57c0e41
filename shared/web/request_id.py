"""Request ids: in every answer as `X-Request-Id`, in every log line, and in messages to other services."""

import itertools
import re
import secrets
from collections.abc import Mapping

from multidict import istr

HEADER = istr("X-Request-Id")

_SANE = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_PROCESS = secrets.token_hex(8)
_count = itertools.count(1)


def request_id(headers: Mapping[str, str]) -> str:
    """Return the id that came along where it is a sane token, else a new one."""
    sent = headers.get(HEADER)
    if sent is not None and _SANE.match(sent):
        return sent
    return f"{_PROCESS}-{next(_count):x}"
