"""Names of keys and channels in Redis; `deploy/redis/users.acl.template` grants rights by them."""

SERVICES = ("auth", "token", "data")
"""Every service whose replicas cache principals, and so every registry that a barrier reads."""

REPLICA = "replica:"
"""Begins the fields of a registry that are replicas; the others are `token` and `stream`, Redis's identity."""

RELAY_CHANNEL = "relay"
"""Published to by whoever has written to the outbox from outside auth."""


def stream(kind: str, suffix: str) -> str:
    """The stream `feed` or `events` of the instance whose suffix (database and epoch) this is."""
    return f"{kind}:{suffix}"


def registry(service: str) -> str:
    """The hash of a service's replicas, each with its position and round; and of Redis's identity."""
    return f"registry:{service}"


def announcements(service: str) -> str:
    """The channel on which a service's replicas say how far they have come."""
    return f"announce:{service}"


def requests(service: str, lane: str) -> str:
    """The stream of requests to a service."""
    return f"req:{service}:{lane}"


def replies(answering: str, asking: str) -> str:
    """The stream of replies of a service to one process, named as `service:process`."""
    return f"reply:{answering}:{asking}"


def dead_letters(service: str) -> str:
    """The stream of what a service could not handle in five deliveries."""
    return f"dead:{service}"


def retries(service: str) -> str:
    """The stream of events that a service had given up and is to handle once more."""
    return f"retry:{service}"
