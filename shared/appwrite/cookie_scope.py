"""The scope of session cookies, a setting of the deployment."""

import enum


class CookieScope(enum.StrEnum):
    """Which hosts a browser sends a session cookie to (RFC 6265bis)."""

    DOMAIN = "domain"
    """The host that set it and all below it, as Appwrite has it."""

    HOST = "host"
    """The host that set it, and no other."""

    PREFIX = "__Host-"
    """As `HOST`; its name begins with this prefix, so that no other host can set it. It needs https."""
