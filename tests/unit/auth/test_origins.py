"""What counts as an origin: what people paste, and what no page could ever match."""

import pytest

from services.auth.projects.domain.origins import normal_origin, normal_origins
from services.auth.projects.domain.projects import ProjectChange
from shared.appwrite.cors import allows
from shared.contracts.principal import Project
from shared.kernel.errors import ArgumentInvalid


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("shop.example.com", "shop.example.com"),
        ("Shop.Example.com", "shop.example.com"),
        ("https://shop.example.com", "shop.example.com"),
        ("HTTPS://Shop.example.com:3000/cart?of=ada#top", "shop.example.com"),
        ("//shop.example.com/", "shop.example.com"),
        ("shop.example.com:3000", "shop.example.com"),
        ("shop.example.com/cart", "shop.example.com"),
        ("http://localhost:5173", "localhost"),
        ("http://127.0.0.1:5173", "127.0.0.1"),
        ("http://[::1]:5173", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("http://[2001:DB8:0::1]:5173", "2001:db8::1"),
        ("*.example.com", "*.example.com"),
        ("https://*.example.com/", "*.example.com"),
        ("https://bücher.example/neu", "xn--bcher-kva.example"),
        ("*.BÜCHER.example", "*.xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("shop-app://", "shop-app://"),
    ],
)
def test_an_origin_is_what_was_meant(text: str, origin: str) -> None:
    assert normal_origin("origins", text) == origin


@pytest.mark.parametrize("page", ["https://bücher.example:3000/neu", "HTTP://Shop.test/", "http://[::1]:80"])
def test_a_page_whose_url_was_pasted_may_call(page: str) -> None:
    host = normal_origin("origins", page)

    assert allows(Project(id="p", name="", origins=(host,)), f"http://{f'[{host}]' if ':' in host else host}:3000", "")


@pytest.mark.parametrize(
    "text",
    [
        "", "*", "*.", "*.*.com", "shop.*", "a b", "a,b", "a\nb", "http://", "https://", "https:///path",
        "javascript://", "file://", "shop.example.com:port", "ada@example.com", "https://ada:secret@example.com",
        "shop..example.com", ".com",
        "http://[::1", "fe80::1%eth0", "http://[fe80::1%eth0]",
        "-ü.example", "é" * 64 + ".example", "a." * 127 + "example", "shop-app://callback",
    ],
)  # fmt: skip
def test_what_no_page_could_match_is_refused_in_words(text: str) -> None:
    with pytest.raises(ArgumentInvalid, match="matches no page: name a host such as"):
        normal_origin("origins", text)


def test_an_origin_that_is_named_twice_counts_once() -> None:
    assert normal_origins("origins", ["https://b.test", "a.test", "b.test:80"]) == ("b.test", "a.test")


def test_a_change_holds_the_origins_as_they_are_stored() -> None:
    change = ProjectChange(added_origins=("https://b.test/x",), removed_origins=("A.test",)).normal()

    assert (change.origins, change.added_origins, change.removed_origins) == (None, ("b.test",), ("a.test",))
