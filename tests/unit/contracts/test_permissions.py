"""The grammar of permissions."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.appwrite.permissions import (
    MOST_PERMISSIONS,
    ROW_ACTIONS,
    TABLE_ACTIONS,
    Permission,
    check_assignable,
    check_role,
    grants,
    owner_permissions,
    parse_permissions,
)
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal

IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,35}", fullmatch=True)
STATUSES = st.sampled_from(["verified", "unverified"])
ROLES = st.one_of(
    st.sampled_from(["any", "guests", "users"]),
    st.builds("users/{}".format, STATUSES),
    st.builds("user:{}".format, IDS),
    st.builds("user:{}/{}".format, IDS, STATUSES),
    st.builds("team:{}".format, IDS),
    st.builds("team:{}/{}".format, IDS, st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}", fullmatch=True)),
    st.builds("member:{}".format, IDS),
    st.builds("label:{}".format, st.from_regex(r"[A-Za-z0-9]{1,36}", fullmatch=True)),
)


def parsed(*texts: str, actions: tuple[str, ...] = ROW_ACTIONS) -> list[str]:
    return [str(permission) for permission in parse_permissions(texts, actions)]


@given(ROLES)
def test_a_permission_on_any_role_of_the_grammar_is_read(role: str) -> None:
    [permission] = parse_permissions([f'read("{role}")'], ROW_ACTIONS)

    assert permission == Permission("read", role)
    assert str(permission) == f'read("{role}")'


@pytest.mark.parametrize(
    "role",
    [
        "",
        "*",
        "role:all",
        "unknown",
        "any:x",
        "guests:x",
        "users:x",
        "any/x",
        "guests/x",
        "member:x/y",
        "label:x/y",
        "user",
        "team",
        "member",
        "label",
        "user:",
        "label:",
        "user:_x",
        "user:x y",
        "user:é",
        "label:a-b",
        f"user:{'x' * 37}",
        f"label:{'x' * 37}",
        f"team:x/{'y' * 82}",
        "users/other",
        "users/",
        "user:x/other",
        "user:x/",
        "team:x/",
        "team:x/y/z",
        "team:x/-",
        "user:x\n",
        "team:x/y\n",
        "Any",
        " any",
        "any ",
    ],
)
def test_an_invalid_role_is_refused(role: str) -> None:
    with pytest.raises(ArgumentInvalid):
        check_role(role)
    with pytest.raises(ArgumentInvalid):
        parse_permissions([f'read("{role}")'], ROW_ACTIONS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "any",
        "read",
        "read()",
        "read(any)",
        "read('any')",
        'read("any"',
        'read("any") ',
        ' read("any")',
        'read("any")\n',
        'read("any", "users")',
        'READ("any")',
        'fly("any")',
        'create("any")',
        'read("any")read("any")',
        'read("a"ny")',
    ],
)
def test_an_invalid_permission_on_a_row_is_refused(text: str) -> None:
    with pytest.raises(ArgumentInvalid):
        parse_permissions(['read("users")', text], ROW_ACTIONS)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ArgumentInvalid):
        assert parsed(text) == [text]


def test_write_stands_for_what_the_resource_can_have_written() -> None:
    assert parsed('write("any")') == ['update("any")', 'delete("any")']
    assert parsed('write("any")', actions=TABLE_ACTIONS) == ['create("any")', 'update("any")', 'delete("any")']


def test_order_is_kept_and_what_is_repeated_counts_once() -> None:
    texts = ['delete("any")', 'read("users")', 'write("any")', 'read("users")']

    assert parsed(*texts) == ['delete("any")', 'read("users")', 'update("any")']


def test_there_is_a_limit_to_what_is_sent_not_to_what_it_stands_for() -> None:
    texts = [f'write("user:u{place}")' for place in range(MOST_PERMISSIONS)]

    assert len(parsed(*texts)) == 2 * MOST_PERMISSIONS
    with pytest.raises(ArgumentInvalid):
        parse_permissions([*texts, 'read("any")'], ROW_ACTIONS)


def test_clients_grant_to_their_own_roles() -> None:
    held = ("any", "users", "user:ada")
    check_assignable(parse_permissions(['read("any")', 'write("user:ada")'], ROW_ACTIONS), held)

    for role in ("guests", "user:bob", "user:ada/verified", "user:ad"):
        with pytest.raises(Refusal) as refused:
            check_assignable([Permission("read", "any"), Permission("delete", role)], held)
        assert refused.value.type is ErrorType.USER_UNAUTHORIZED
        assert refused.value.message == "Permissions must be one of: (any, users, user:ada)"


def test_an_owner_may_do_everything_with_its_row() -> None:
    assert [str(one) for one in owner_permissions("ada")] == [
        'read("user:ada")',
        'update("user:ada")',
        'delete("user:ada")',
    ]


def test_a_permission_grants_one_action_to_one_role() -> None:
    stored = ['read("any")', 'update("team:crew")']

    assert grants(stored, "read", ["users", "any"])
    assert grants(stored, "update", ["team:crew"])
    assert not grants(stored, "update", ["any", "team:cre", "team:crew/owner"])
    assert not grants(stored, "delete", ["any", "team:crew"])
    assert not grants([], "read", ["any"])
