"""What an e-mail address tells by itself."""

import pytest

from services.auth.mail.domain.canonical import traits_of


@pytest.mark.parametrize(
    ("email", "canonical"),
    [
        ("a.d.a+lists+more@gmail.com", "ada@gmail.com"),
        ("a.da@googlemail.com", "ada@gmail.com"),
        ("a.da+lists@hotmail.co.uk", "a.da@outlook.com"),
        ("ada@live.nl", "ada@outlook.com"),
        ("a.da+lists@me.com", "a.da@icloud.com"),
        ("ada-king-lists@yahoo.de", "ada-king@yahoo.com"),
        ("ada+lists@rocketmail.com", "ada+lists@yahoo.com"),
        ("a.da+lists@pm.me", "a.da+lists@protonmail.com"),
        ("a.da+lists@fastmail.fm", "a.da+lists@fastmail.com"),
        ("a.da@walla.com", "a.da@walla.co.il"),
        ("a.da+lists@example.org", "a.da+lists@example.org"),
        ("ada@mail.gmail.com", "ada@mail.gmail.com"),
        ("+lists@gmail.com", "+lists@gmail.com"),
        ("-lists@yahoo.com", "-lists@yahoo.com"),
    ],
)
def test_the_canonical_form_is_that_of_the_provider(email: str, canonical: str) -> None:
    traits = traits_of(email)

    assert (traits.canonical, traits.is_canonical) == (canonical, canonical == email)


@pytest.mark.parametrize(
    ("email", "sort"),
    [
        ("ada@gmail.com", "free"),
        ("ada@mailinator.com", "disposable"),
        ("ada@0-mail.com", "disposable"),
        ("ada@dé.net", "disposable"),
        ("ada@example.org", "corporate"),
        ("ada@münchen.de", "corporate"),
        ("ada@a_b.local", "corporate"),
    ],
)
def test_the_sort_of_an_address_is_that_of_its_domain(email: str, sort: str) -> None:
    traits = traits_of(email)
    sorts = {"free": traits.is_free, "disposable": traits.is_disposable, "corporate": traits.is_corporate}

    assert [name for name, holds in sorts.items() if holds] == [sort]
