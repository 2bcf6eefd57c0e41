"""What `daypass up` does for somebody who develops against it."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.embedded.callers import Caller
from tests.integration.embedded.daypass import User


def sign_ups(told: dict[str, Any]) -> list[int]:
    """Return the statuses of as many sign-ups as an hour has, and one more."""
    guest = Caller.of(told).by()
    return [
        guest.status("POST", "/account", userId="unique()", email=f"u{number}@example.org", password="long enough")
        for number in range(11)
    ]


def test_sign_ups_from_this_machine_are_not_limited_and_refusals_are_shown(user: User, kept_dir: Path) -> None:
    with user.up(kept_dir) as instance:
        told = instance.ready()
        made = sign_ups(told)
        refused = Caller.of(told).by(X_Request_Id="seen-by-me").status("GET", "/account")
        _, said = instance.signal(signal.SIGINT)

    assert made == [201] * 11
    assert refused == 401
    (line,) = [line for line in said.splitlines() if "seen-by-me" in line]
    assert '"route": "/v1/account"' in line
    assert "general_unauthorized_scope" in line


@pytest.mark.parametrize("settings", [{"DAYPASS_RATE_LIMITS": "on"}, {"DAYPASS_PUBLIC_URL": "https://api.example.com"}])
def test_sign_ups_from_this_machine_are_limited_where_the_operator_says_so(
    user: User, kept_dir: Path, settings: dict[str, str]
) -> None:
    with user.up(kept_dir, settings=settings) as instance:
        assert sign_ups(instance.ready()) == [201] * 10 + [429]
