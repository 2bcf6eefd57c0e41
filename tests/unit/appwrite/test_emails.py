"""E-mail addresses: what is one is decided by syntax alone."""

import pytest

from shared.appwrite.emails import normal_email


@pytest.mark.parametrize(
    "domain",
    [
        "corp.local",
        "x.onion",
        "x.home.arpa",
        "x.invalid",
        "x.test",
        "x.lan",
        "x.internal",
        "x.localdomain",
        "x.example",
    ],
)
def test_an_address_of_a_private_network_is_one(domain: str) -> None:
    assert normal_email(f"anna@{domain}") == f"anna@{domain}"


def test_a_domain_is_the_same_in_unicode_and_in_ascii() -> None:
    assert normal_email("user@xn--mnchen-3ya.de") == normal_email("user@münchen.de") == "user@münchen.de"


NO_ADDRESS = [
    "anna", "anna@", "@corp.local", "anna@localhost", "a@b@c.org", "a b@c.org", "a..b@c.org", ".a@c.org", "a@-c.org",
    "a@c_d.org", "a@[127.0.0.1]", '"ab"@example.com', "a\0@c.org", f"{'a' * 65}@example.com", f"a@{'b' * 64}.org",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_another_text_is_no_address(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 the words are the library's
        normal_email(text)
