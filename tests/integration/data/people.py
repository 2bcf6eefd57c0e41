"""permissions.yaml: its callers, the roles that they hold, and its cases."""

from pathlib import Path
from typing import Any

import yaml

from tests.accounts import GUEST, Accounts, Headers

RULES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("permissions.yaml").read_text(encoding="utf-8"))

HOLDERS: dict[str, list[str]] = RULES["roles"]
"""By role, which callers hold it."""

CALLERS: list[str] = list(RULES["callers"])


def sign_in_all(accounts: Accounts) -> dict[str, Headers]:
    """Sign the callers in; one of them is a guest."""
    return {name: GUEST if held is None else accounts.sign_in(name, **held) for name, held in RULES["callers"].items()}
