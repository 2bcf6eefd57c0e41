import pytest

from shared.appwrite.cors import allows, leads_to_named
from shared.contracts.principal import Project

PROJECT = Project(id="demo", name="Demo", origins=("localhost", "*.example.com", "Shop.test"))


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost", True),
        ("https://localhost:3000", True),
        ("http://127.0.0.1:5173", True),
        ("http://[::1]:5173", True),
        ("http://LOCALHOST", True),
        ("https://a.example.com", True),
        ("https://a.b.example.com", True),
        ("https://shop.test", True),
        ("https://api.daypass.test", True),
        ("https://api.daypass.test:8443/path", True),
        ("exp://192.168.0.1", True),
        ("appwrite-callback-demo://anything", True),
        ("appwrite-callback-other://anything", False),
        ("https://example.com", False),
        ("https://badexample.com", False),
        ("https://sub.shop.test", False),
        ("http://127.0.0.1.example.org", False),
        ("http://localhost.", False),
        ("http://localhost.evil.test", False),
        ("http://localhost@evil.test", False),
        ("http://evil.test#localhost", False),
        ("http://evil.test\\@localhost", False),
        ("http://local\thost", False),
        ("null", False),
        ("localhost", False),
        ("", False),
        ("http://", False),
        ("http://[::1", False),
        ("//localhost", False),
    ],
)
def test_which_origins_may_call(origin: str, allowed: bool) -> None:
    assert allows(PROJECT, origin, "api.daypass.test") is allowed


def test_the_own_host_is_none_where_nobody_has_named_it() -> None:
    assert not allows(PROJECT, "https://api.daypass.test", "")


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        ("http://localhost/x", True),
        ("https://a.example.com/x?y#z", True),
        ("HTTPS://SHOP.test:8443", True),
        ("shop-app://open", True),
        ("https://api.daypass.test", False),
        ("exp://192.168.0.1", False),
        ("appwrite-callback-demo://x", False),
        ("other-app://localhost", False),
        ("ftp://localhost/", False),
        ("javascript://localhost/%0aalert(1)", False),
        ("https://localhost\\@evil.test", False),
        ("https://evil.test@localhost.evil.test", False),
        ("localhost", False),
        ("://localhost", False),
        ("//localhost", False),
        ("", False),
    ],
)
def test_links_lead_to_what_the_project_names(url: str, leads: bool) -> None:
    project = Project(id="demo", name="", origins=(*PROJECT.origins, "shop-app://", "https://", "http://"))

    assert leads_to_named(project, url) is leads


def test_an_app_whose_scheme_is_named_may_call() -> None:
    assert allows(Project(id="p", name="", origins=("shop-app://",)), "shop-app://anything", "")


def test_without_localhost_its_addresses_are_not_allowed_either() -> None:
    assert not allows(Project(id="p", name="", origins=("x.test",)), "http://127.0.0.1", "")
