"""Whose access to rows a key wants explained."""

from services.data.operations.deps import DataDeps
from services.data.operations.explanations import find_user
from shared.contracts.ids import UserId
from shared.contracts.principal import Kind, Principal, guest
from shared.kernel.errors import ArgumentInvalid
from shared.kernel.ids import is_id
from shared.web.endpoint import Call, Caller
from shared.web.scopes import Admission

HEADER = "X-Daypass-Explain"

_USERS = Admission.of(Caller.KEY, ("users.read",))


async def find_explained(call: Call[DataDeps]) -> Principal | None:
    """Return who the header X-Daypass-Explain names; None where there is none, and to clients, whatever they send.

    `1` is the user whose session or JWT came along with the key, and without one a guest. `user:ID` is that user, for
    keys that may read users: roles tell of teams and labels. Raises `Refusal`, or `Unavailable`.
    """
    header = call.header(HEADER)
    if not header or call.principal.kind is not Kind.KEY:
        return None
    if header == "1":
        return call.user or guest(call.project.id)
    name, _, user_id = header.partition(":")
    if name != "user" or not is_id(user_id):
        raise ArgumentInvalid(HEADER, "Value must be 1, or user:ID with the id of a user")
    _USERS.check(call.principal)
    return await find_user(call.deps.bus, call.project.id, UserId(user_id))
