"""What all messages between services have in common."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import msgspec
import pytest

import shared.contracts
from shared.contracts.credentials import SessionSecret

SECRET = re.compile(r"password|secret|token|cookie|credential")
DIGESTS = ("_digest", "_hash")


def structs() -> Iterator[type[msgspec.Struct]]:
    for module in pkgutil.iter_modules(shared.contracts.__path__, "shared.contracts."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.name:
                yield value


@pytest.mark.parametrize(
    "kind", [kind for kind in structs() if kind is not SessionSecret], ids=lambda kind: kind.__name__
)
def test_no_message_has_a_secret(kind: type[msgspec.Struct]) -> None:
    named = [name for name in kind.__struct_fields__ if SECRET.search(name)]

    assert [name for name in named if not name.endswith(DIGESTS)] == []
