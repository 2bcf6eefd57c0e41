"""Probes: what shows that a principal is alive, or has a role."""

from typing import Any

from tests.e2e.revocation.projects import PRIVATE
from tests.e2e.revocation.rounds import Probe, Round


def of_user(one: Round, kind: str) -> list[Probe]:
    """What shows a user: the account, the private row in every way, and introspection."""
    return [*_account(one, kind), *_row(one, kind, one.person.row), *_introspection(one, kind)]


def of_label(one: Round, kind: str) -> list[Probe]:
    """What shows a label: the row of the label, in every way."""
    return _row(one, kind, one.person.labelled)


def of_grant(one: Round, kind: str) -> list[Probe]:
    """What shows a role or a permission: the row of this round, in every way."""
    return _row(one, kind, one.grant.row)


def of_key(one: Round, kind: str) -> list[Probe]:
    """What shows a key: any row."""
    return [probe for probe in _row(one, kind, one.person.row) if probe.path == one.person.row]


def of_project(one: Round, kind: str) -> list[Probe]:
    """What shows a project: its key, its users, and to a guest the text of a row that anybody may read."""
    if kind == "guest":
        return _text(one)
    return of_key(one, kind) if kind == "key" else of_user(one, kind)


def of_page(one: Round, kind: str) -> list[Probe]:
    """What shows a user to a page of the platform of this round: all but introspection, which backends do."""
    origin = {"Origin": f"https://{one.grant.id}.example.org"}
    return [
        Probe(probe.member, probe.method, probe.path, probe.headers | origin, probe.shows, probe.body)
        for probe in (*_account(one, kind), *_row(one, kind, one.person.row))
    ]


def of_jwts(one: Round, kind: str) -> list[Probe]:
    """What shows that JWTs may be made: one that is made."""
    members = one.person.project.client.cluster.running("token")
    return [Probe(member, "POST", "/account/jwts", one.headers(kind), _is_good) for member in members]


def _is_good(status: int, _: Any) -> bool:
    return 200 <= status < 300


def _account(one: Round, kind: str) -> list[Probe]:
    members = one.person.project.client.cluster.running("auth")
    return [Probe(member, "GET", "/account", one.headers(kind), _is_good) for member in members]


def _row(one: Round, kind: str, row: str) -> list[Probe]:
    headers, probes = one.headers(kind), list[Probe]()
    rows, _, id_ = row.rpartition("/")

    def lists(status: int, body: Any) -> bool:
        return status == 200 and any(listed["$id"] == id_ for listed in body["rows"])

    for member in one.person.project.client.cluster.running("data"):
        probes += [
            Probe(member, "GET", row, headers, _is_good),
            Probe(member, "PATCH", row, headers, _is_good, {"data": {"text": "changed"}}),
            Probe(member, "GET", rows, headers, lists),
        ]
    return probes


def _text(one: Round) -> list[Probe]:
    headers, probes = one.headers("guest"), list[Probe]()
    rows, _, _ = one.grant.row.rpartition("/")

    def is_private(status: int, body: Any) -> bool:
        return status == 200 and body["text"] == PRIVATE

    def lists_private(status: int, body: Any) -> bool:
        return status == 200 and any(listed["text"] == PRIVATE for listed in body["rows"])

    for member in one.person.project.client.cluster.running("data"):
        probes += [
            Probe(member, "GET", one.grant.row, headers, is_private),
            Probe(member, "GET", rows, headers, lists_private),
        ]
    return probes


def _introspection(one: Round, kind: str) -> list[Probe]:
    token, project = one.headers(kind).get("X-Appwrite-JWT"), one.person.project

    def is_active(status: int, body: Any) -> bool:
        return status == 200 and bool(body["active"])

    return [
        Probe(member, "POST", "/jwts/introspect", project.key_headers, is_active, {"token": token})
        for member in project.client.cluster.running("token")
        if token
    ]
