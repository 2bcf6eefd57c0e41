"""Scopes that an API key may hold: Appwrite's names, and `jwts` for introspection and revocation, which are ours."""

_READ_AND_WRITE = (
    "project keys platforms mocks policies project.policies project.oauth2 templates stages users sessions teams"
    " databases tables columns indexes rows collections attributes documents buckets files tokens functions executions"
    " execution sites log providers topics subscribers targets messages rules webhooks migrations schedules vcs"
    " insights reports presences jwts"
)
_OTHERS = ("embeddings.write", "locale.read", "avatars.read", "health.read", "assistant.read")

ALL = frozenset(f"{noun}.{verb}" for noun in _READ_AND_WRITE.split() for verb in ("read", "write")) | set(_OTHERS)
"""All that there are."""
