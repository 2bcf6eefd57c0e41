"""Settings that cannot work, or that break the promise, are refused by name."""

import pytest

from shared.kernel.settings import SettingsError, read_settings
from shared.web.settings import ProcessSettings

ENVIRON = {"DAYPASS_DATABASE_URL": "postgresql://nowhere", "DAYPASS_REDIS_URL": "redis://nowhere"}


def read(**variables: str) -> ProcessSettings:
    return read_settings(ProcessSettings, ENVIRON | {f"DAYPASS_{name}": value for name, value in variables.items()})


@pytest.mark.parametrize("name", ["CACHE_ENTRIES", "CACHE_MARKS", "CACHE_LOOKUPS"])
def test_what_is_remembered_has_a_least_bound(name: str) -> None:
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
