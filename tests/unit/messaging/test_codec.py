"""Messages on the wire: their bytes are fixed, fields may be added, garbage is refused."""

import contextlib
import tracemalloc

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.events import FeedOpened, PrincipalsChanged, ProjectDeleted
from shared.contracts.requests import ResolvedPrincipal, ResolveSession
from shared.messaging.bus import Envelope, Reply
from shared.messaging.codec import Entry, MalformedMessage, pack, unpack
from shared.messaging.outbox import entry_bytes

GOLDEN = {
    FeedOpened(): "83a474797065ab666565642e6f70656e6564a776657273696f6e01a4626f647980",
    PrincipalsChanged(subjects=("user:p/u",), reason="user.blocked"): (
        "83a474797065b27072696e636970616c732e6368616e676564a776657273696f6e01a4626f647982"
        "a87375626a6563747391a8757365723a702f75a6726561736f6eac757365722e626c6f636b6564"
    ),
    ProjectDeleted(project_id="p", incarnation=7): (
        "83a474797065af70726f6a6563742e64656c65746564a776657273696f6e01a4626f647982a770726f6a656374a170"
        "ab696e6361726e6174696f6e07"
    ),
}


@pytest.mark.parametrize("event", GOLDEN, ids=lambda event: event.TYPE)
def test_the_bytes_of_an_event_do_not_change(event: FeedOpened | PrincipalsChanged | ProjectDeleted) -> None:
    assert entry_bytes(event).hex() == GOLDEN[event]


def test_an_unknown_field_is_ignored_and_a_missing_one_takes_its_default() -> None:
    newer = msgspec.msgpack.encode({"position": 1, "subjects": [], "added_later": True})

    assert unpack(newer, ResolvedPrincipal) == ResolvedPrincipal(position=1, subjects=(), principal=None)


def test_bytes_survive() -> None:
    asked = ResolveSession(project_id="p", user_id="u", secret_digest=bytes(range(256)))

    assert unpack(pack(asked), ResolveSession) == asked


@given(st.binary(max_size=200))
def test_garbage_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        unpack(data, ResolveSession)


COUNT = 300_000
JUNK = b"\xdd" + COUNT.to_bytes(4, "big") + b"\x90" * COUNT
"""So many empty lists, of one byte each."""


@pytest.mark.parametrize("kind", [Envelope, Reply, Entry, ResolvedPrincipal])
@pytest.mark.parametrize("field", [b"a", b"body"])
def test_unknown_fields_of_a_message_take_no_memory(kind: type[msgspec.Struct], field: bytes) -> None:
    message = b"\x81" + msgspec.msgpack.encode(field.decode()) + JUNK
    tracemalloc.start()
    with contextlib.suppress(MalformedMessage):
        unpack(message, kind)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < len(message) / 10


def test_a_message_that_is_too_long_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="too long"):
        unpack(pack(ResolveSession(project_id="p" * 1000, user_id="u", secret_digest=b"")), ResolveSession, most=1000)


def test_a_message_is_plain_msgpack_for_any_reader() -> None:
    event = PrincipalsChanged(subjects=("session:library/s1",), reason="session.deleted")
    entry = Entry(type=event.TYPE, version=event.VERSION, body=msgspec.Raw(pack(event)))

    assert msgpack.unpackb(pack(entry)) == {
        "type": "principals.changed",
        "version": event.VERSION,
        "body": {"subjects": ["session:library/s1"], "reason": "session.deleted"},
    }
