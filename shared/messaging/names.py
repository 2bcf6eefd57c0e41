"""Names of keys and channels in Redis; `deploy/redis/users.acl.template` grants rights by them."""

SERVICES = ("auth", "token", "data", "storage")
"""Every service whose replicas cache principals, and so every registry that a barrier reads."""

ASKING = (*SERVICES, "cli")
"""What sends requests on the bus."""

IDENTITY = "identity"
"""The hash that says which Redis this is (`id`), whose streams it holds (`stream`), and by which mark each registry is
known to be whole (a field by the name of the service). Auth alone writes it."""

MARK = "mark:"
"""Begins the one member of a registry that is no replica: it goes where the registry does."""

RELAY_CHANNEL = "relay"
"""The channel on which a process outside auth announces that it has written to the outbox."""


def stream(kind: str, suffix: str) -> str:
    """The stream `feed` or `events` of the instance whose suffix (database and epoch) this is."""
    return f"{kind}:{suffix}"


def registry(service: str) -> str:
    """The sorted set of a service's replicas, each as `name:position:round`; all scores are 0."""
    return f"replicas:{service}"


def probe(service: str) -> str:
    """What a service writes to learn whether the copies still follow this Redis."""
    return f"probe:{service}"


def announcements(service: str) -> str:
    """The channel on which a service's replicas say how far they have come."""
    return f"announce:{service}"


def requests(answering: str, lane: str, asking: str) -> str:
    """The stream of requests of one service to another: however many one sends, those of others do not wait."""
    return f"req:{answering}:{lane}:{asking}"


def replies(answering: str, asking: str) -> str:
    """The stream of replies of a service to one process, named as `service:process`."""
    return f"reply:{answering}:{asking}"


def dead_letters(service: str) -> str:
    """The stream of what a service could not handle in five deliveries."""
    return f"dead:{service}"


def retries(service: str) -> str:
    """The stream of events that a service abandoned and is to handle once more."""
    return f"retry:{service}"
