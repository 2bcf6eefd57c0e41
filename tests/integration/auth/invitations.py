"""Invitations to teams, and the letters in which they are sent."""

import itertools
import json
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.answer import Answer
from tests.integration.auth.conftest import PROJECT, Caller, World

ADDRESSES = map("invited{}@example.org".format, itertools.count())

URL = "http://localhost/welcome?from=mail#top"


async def invite(caller: Caller, team: str, **body: object) -> Answer:
    return await caller.call("POST", f"/teams/{team}/memberships", **{"roles": ["player"], "url": URL} | body)


async def invited(caller: Caller, team: str, **body: object) -> str:
    answer = await invite(caller, team, **body)
    assert answer.status == 201, answer.json
    return str(answer.json["$id"])


def letter(folder: Path, membership: str) -> dict[str, str]:
    """Return what was sent, with the parameters of its link."""
    path = folder / f"{PROJECT}.{membership}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    sent = json.loads(path.read_text())
    return sent | {name: values[0] for name, values in parse_qs(urlsplit(sent["link"]).query).items()}


async def accept(caller: Caller, folder: Path, membership: str, **other: object) -> Answer:
    sent = letter(folder, membership)
    path = f"/teams/{sent['teamId']}/memberships/{membership}/status"
    return await caller.call("PATCH", path, **{"userId": sent["userId"], "secret": sent["secret"]} | other)


def signed_in(world: World, answer: Answer) -> Caller:
    return world.guest.with_(Cookie=answer.headers["Set-Cookie"].partition(";")[0])


async def total(world: World, team: str) -> int:
    return int((await world.key.call("GET", f"/teams/{team}")).json["total"])
