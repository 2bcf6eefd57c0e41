import pytest

from shared.contracts.principal import Kind, Principal, guest
from shared.kernel.errors import ErrorType, Refusal
from shared.web.scopes import Admission, Caller

CALLERS = {
    "guest": guest("p"),
    "session": Principal(project_id="p", kind=Kind.SESSION, user_id="u"),
    "jwt": Principal(project_id="p", kind=Kind.JWT, user_id="u"),
    "key": Principal(project_id="p", kind=Kind.KEY, key_id="k", scopes=frozenset({"users.read", "rows.write"})),
}


@pytest.mark.parametrize(
    ("callers", "scopes", "admitted"),
    [
        (Caller.ANYONE, ("rows.write", "documents.write"), "guest session jwt key"),
        (Caller.ANYONE, ("rows.read",), "guest session jwt"),
        (Caller.ANYONE, ("sessions.write",), "guest session jwt"),
        (Caller.ANYONE, ("account",), "session jwt"),
        (Caller.ANYONE, ("teams.read", "users.read"), "session jwt key"),
        (Caller.ANYONE, ("users.read",), "key"),
        (Caller.ANYONE, ("users.write",), ""),
        (Caller.ANYONE, ("databases.read", "tables.read"), ""),
        (Caller.ANYONE, ("public",), "guest session jwt"),
        (Caller.ANYONE, ("health.read",), ""),
        (Caller.ANYONE, ("global",), "guest session jwt key"),
        (Caller.ANYONE, (), "guest session jwt key"),
        (Caller.SESSION, ("account",), "session"),
        (Caller.USER, (), "session jwt"),
        (Caller.CLIENT, ("rows.write",), "guest session jwt"),
        (Caller.KEY, ("rows.write",), "key"),
        (Caller.GUEST | Caller.KEY, ("rows.write",), "guest key"),
    ],
)
def test_callers_that_an_endpoint_admits(callers: Caller, scopes: tuple[str, ...], admitted: str) -> None:
    admission = Admission.of(callers, scopes)

    assert " ".join(name for name, principal in CALLERS.items() if passes(admission, principal)) == admitted


def passes(admission: Admission, principal: Principal) -> bool:
    try:
        admission.check(principal)
    except Refusal:
        return False
    return True


def test_a_refusal_says_role_and_scopes() -> None:
    with pytest.raises(Refusal) as raised:
        Admission.of(Caller.ANYONE, ("account",)).check(guest("p"))

    assert raised.value.type is ErrorType.GENERAL_UNAUTHORIZED_SCOPE
    assert raised.value.message == 'User (role: guests) missing scopes (["account"])'
