"""docs/settings.md lists every setting, and nothing else."""

import dataclasses
import re
from pathlib import Path

from services.auth.settings import Settings as Auth
from services.data.settings import Settings as Data
from services.token.settings import Settings as Token
from shared.kernel.settings import PREFIX

DOCUMENT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


def test_the_document_and_the_services_know_the_same_settings() -> None:
    declared = {PREFIX + field.name.upper() for kind in (Auth, Token, Data) for field in dataclasses.fields(kind)}
    listed = set(re.findall(r"^\| `(DAYPASS_[A-Z_]+)`", DOCUMENT, re.MULTILINE))

    assert listed == declared
