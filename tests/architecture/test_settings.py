"""docs/settings.md lists every setting, the services that read it, and its default; and nothing else."""

import dataclasses
import re
from pathlib import Path

from services.auth.settings import Settings as Auth
from services.data.settings import Settings as Data
from services.storage.settings import Settings as Storage
from services.token.settings import Settings as Token
from shared.kernel.settings import PREFIX

DOCUMENT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
SERVICES = {"auth": Auth, "token": Token, "data": Data, "storage": Storage}
SHOWN = {
    "True": "on",
    "False": "off",
    "()": "none",
    "…": "none",
    "": "`urn:daypass:<instance>`",
    str(dataclasses.MISSING): "",
}
"""How defaults that are no plain texts or numbers stand in the table.

The one empty text is that of the issuer, the secrets are those of the Redis of the limits, and of a hosted storage.
"""


def declared() -> set[tuple[str, str, str]]:
    readers: dict[tuple[str, str], list[str]] = {}
    for service, kind in SERVICES.items():
        for field in dataclasses.fields(kind):
            default = SHOWN.get(str(field.default), f"`{field.default}`")
            readers.setdefault((PREFIX + field.name.upper(), default), []).append(service)
    return {
        (name, "all" if len(services) == len(SERVICES) else ", ".join(services), default)
        for (name, default), services in readers.items()
    }


def test_the_document_and_the_services_know_the_same_settings() -> None:
    listed = re.findall(r"^\| `(DAYPASS_[A-Z_]+)` \| ([^|]*?) \| ([^|]*?) ?\|", DOCUMENT, re.MULTILINE)

    assert set(listed) == declared()
    assert len(listed) == len(declared())
