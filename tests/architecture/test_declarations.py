"""The scopes of a declaration are those of the contracts: one that nobody can hold is a slip."""

import pytest

from services.registry import ALL
from shared.contracts import scopes
from shared.web.endpoint import Endpoint
from shared.web.scopes import KEY_SCOPES, USER_SCOPES

KNOWN_SCOPES = scopes.ALL | USER_SCOPES | KEY_SCOPES
"""What keys can be given, and what users, guests and keys hold from the start."""


@pytest.mark.parametrize("endpoint", ALL, ids=lambda endpoint: endpoint.name)
def test_declared_scopes_exist(endpoint: Endpoint) -> None:
    assert set(endpoint.scopes) <= KNOWN_SCOPES
