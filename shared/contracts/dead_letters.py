"""Dead letters: messages that a service could not handle in five deliveries, and requests about them."""

from typing import ClassVar

import msgspec

from shared.contracts.requests import ADMIN, Request


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An abandoned entry: the service, the stream and id it had there, and when that was (`$createdAt`'s form).

    Its content is left in Redis, since it may name users; only its type is shown.
    """

    service: str
    stream: str
    entry: str
    type: str
    given_up_at: str


class DeadLetters(msgspec.Struct, frozen=True, kw_only=True):
    """The dead letters of all services, the newest first, at most 100 of each."""

    dead_letters: tuple[DeadLetter, ...]


class ListDeadLetters(Request[DeadLetters], frozen=True, kw_only=True):
    """`dead_letter.list`: the abandoned entries."""

    TYPE: ClassVar[str] = "dead_letter.list"
    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = ADMIN
    ANSWER: ClassVar[type[msgspec.Struct]] = DeadLetters


class RetryDeadLetters(Request[DeadLetters], frozen=True, kw_only=True):
    """`dead_letter.retry`: let it be handled once more, of one service and entry where these are named."""

    TYPE: ClassVar[str] = "dead_letter.retry"
    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = ADMIN
    ANSWER: ClassVar[type[msgspec.Struct]] = DeadLetters

    service: str = ""
    entry: str = ""
