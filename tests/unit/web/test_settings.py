"""Settings that cannot work, or that break the promise, are refused by name."""

import asyncio

import pytest

from shared.guard.cache import Answer
from shared.kernel.clock import boot_clock
from shared.kernel.settings import SettingsError, read_settings
from shared.process.service import open_guard
from shared.process.settings import ProcessSettings
from tests.unit.guard.authority import Authority, secret_of

ENVIRON = {"DAYPASS_DATABASE_URL": "postgresql://nowhere", "DAYPASS_REDIS_URL": "redis://nowhere"}


def read(**variables: str) -> ProcessSettings:
    return read_settings(ProcessSettings, ENVIRON | {f"DAYPASS_{name}": value for name, value in variables.items()})


@pytest.mark.parametrize("name", ["CACHE_ENTRIES", "CACHE_MARKS", "CACHE_LOOKUPS"])
def test_the_bounds_of_the_cache_have_a_minimum(name: str) -> None:
    assert getattr(read(**{name: "100"}), name.lower()) == 100
    with pytest.raises(SettingsError, match=f"^DAYPASS_{name}: at least 100$"):
        read(**{name: "99"})


def test_copies_of_redis_are_not_less_than_none() -> None:
    with pytest.raises(SettingsError, match=r"^DAYPASS_REDIS_COPIES: 0 or more$"):
        read(REDIS_COPIES="-1")


def test_the_barrier_is_off_for_tests_only() -> None:
    with pytest.raises(SettingsError, match=r"^DAYPASS_TEST_BARRIER breaks .* DAYPASS_ENV=test$"):
        read(TEST_BARRIER="off")

    assert not read(TEST_BARRIER="off", ENV="test").test_barrier
    assert read().test_barrier


@pytest.mark.parametrize(
    "urls",
    [
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://api.example.com/v1",
        "https://user:password@api.example.com",
        "https://api.example.com:https",
        "https://*.example.com",
        "https://api.example.com,http://api.example.com",
    ],
)
def test_public_urls_are_those_of_hosts(urls: str) -> None:
    with pytest.raises(SettingsError, match=r"^DAYPASS_PUBLIC_URL: each must be the URL of a host") as refused:
        read(PUBLIC_URL=urls)

    assert "example.com" not in str(refused.value).replace("https://api.example.com", "", 1)


def test_there_may_be_several_public_urls_or_none() -> None:
    assert read(PUBLIC_URL="https://a.example, http://b.example:8080/").public_url[1] == "http://b.example:8080/"
    assert read(PUBLIC_URL="").public_url == ()


def test_trusted_proxies_are_networks() -> None:
    with pytest.raises(SettingsError, match=r"^DAYPASS_TRUSTED_PROXIES: each must be a network"):
        read(TRUSTED_PROXIES="proxy.example.com")


async def test_a_guard_has_the_bounds_of_the_settings() -> None:
    authority = Authority()
    guard = open_guard(read(CACHE_ENTRIES="100", CACHE_MARKS="120", CACHE_LOOKUPS="140"), "test", authority)
    authority.guard = guard
    guard.cache.extend_lease(boot_clock() + 600)
    for number in range(1, 301):
        guard.cache.put(number, Answer("principal", (), number, number), era=guard.cache.era)
        guard.cache.apply(number, [f"session:p/{number}"])
    entries, marks = guard.cache.entries, guard.cache.marks
    authority.goes_on.clear()
    asking = [asyncio.ensure_future(guard.session("p", secret_of(f"u{number}"))) for number in range(150)]
    await asyncio.wait(asking, timeout=0.1)
    lookups = guard.lookups
    authority.goes_on.set()
    await asyncio.gather(*asking, return_exceptions=True)

    assert (entries, marks, lookups) == (100, 120, 140)
