"""Settings that every service has."""

from dataclasses import dataclass
from typing import Literal

from shared.appwrite.clientinfo import Edge, networks
from shared.appwrite.cookie_scope import CookieScope
from shared.kernel.hosts import PublicUrls
from shared.kernel.settings import Secret, SettingsError

LEAST_ENTRIES = 100


@dataclass(frozen=True, kw_only=True)
class ProcessSettings:
    """What every service's settings begin with. `trusted_proxies` are CIDRs; `rate_limits` are off for tests only.

    `limits_redis_url` is the Redis in which calls are counted, never that of `redis_url`; empty: in this process.
    `public_url` names the hosts under which clients reach the deployment; where it is set, no other host is served.
    `cookies` is the scope of session cookies, as `shared.appwrite.cookie_scope` has it.
    `redis_copies` is how many copies of Redis may be promoted. What a process remembers is bounded, in entries:
    `cache_entries` principals and the like, `cache_marks` of what was revoked, `cache_lookups` under way. Metrics are
    served on `metrics_port`; 0: nowhere. Without `test_barrier` no call waits until its revocation is in force: that is
    for the tests that must find this out, and for `env` test.
    """

    database_url: Secret
    redis_url: Secret
    host: str = "127.0.0.1"
    port: int = 8080
    trusted_proxies: tuple[str, ...] = ()
    public_url: tuple[str, ...] = ()
    cookies: Literal["domain", "host", "__Host-"] = "domain"
    rate_limits: bool = True
    limits_redis_url: Secret = Secret("")  # noqa: RUF009 a string, and as immutable
    redis_copies: int = 0
    cache_entries: int = 200_000
    cache_marks: int = 200_000
    cache_lookups: int = 10_000
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0
    env: Literal["production", "test"] = "production"
    test_barrier: bool = True

    def __post_init__(self) -> None:
        """Raise `SettingsError` where a value cannot work."""
        for name in ("cache_entries", "cache_marks", "cache_lookups"):
            if getattr(self, name) < LEAST_ENTRIES:
                raise SettingsError(f"DAYPASS_{name.upper()}: at least {LEAST_ENTRIES}")
        self._check_edge()
        if self.redis_copies < 0:
            raise SettingsError("DAYPASS_REDIS_COPIES: 0 or more")
        if not self.test_barrier:
            self.require_test("DAYPASS_TEST_BARRIER")

    def edge(self) -> Edge:
        """Return the edge of the deployment, as these settings describe it."""
        return Edge(
            trusted_proxies=self.trusted_proxies, public_urls=self.public_url, cookies=CookieScope(self.cookies)
        )

    def _check_edge(self) -> None:
        try:
            networks(self.trusted_proxies)
        except ValueError as error:
            raise SettingsError("DAYPASS_TRUSTED_PROXIES: each must be a network, such as 10.0.0.0/8") from error
        try:
            PublicUrls(self.public_url)
        except ValueError as error:
            raise SettingsError(
                "DAYPASS_PUBLIC_URL: each must be the URL of a host, such as https://api.example.com, named once"
            ) from error

    def require_test(self, name: str) -> None:
        """Raise `SettingsError` for a setting that breaks the promise, but in a test."""
        if self.env != "test":
            raise SettingsError(f"{name} breaks the promise of Daypass: it needs DAYPASS_ENV=test")
