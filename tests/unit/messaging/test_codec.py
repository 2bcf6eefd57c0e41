"""Messages on the wire: their bytes are fixed, fields may be added, garbage is refused."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.events import FeedOpened, PrincipalsChanged, ProjectDeleted
from shared.contracts.requests import ResolvedPrincipal, ResolveSession
from shared.messaging.codec import MalformedMessage, pack, unpack
from shared.messaging.outbox import entry_bytes

GOLDEN = {
    FeedOpened(): "83a474797065ab666565642e6f70656e6564a776657273696f6e01a4626f647980",
    PrincipalsChanged(subjects=("user:p/u",), reason="user.blocked"): (
        "83a474797065b27072696e636970616c732e6368616e676564a776657273696f6e01a4626f647982"
        "a87375626a6563747391a8757365723a702f75a6726561736f6eac757365722e626c6f636b6564"
    ),
    ProjectDeleted(project="p", incarnation=7): (
        "83a474797065af70726f6a6563742e64656c65746564a776657273696f6e01a4626f647982a770726f6a656374a170"
        "ab696e6361726e6174696f6e07"
    ),
}


@pytest.mark.parametrize("event", GOLDEN, ids=lambda event: event.TYPE)
def test_the_bytes_of_an_event_do_not_change(event: FeedOpened | PrincipalsChanged | ProjectDeleted) -> None:
    assert entry_bytes(event).hex() == GOLDEN[event]


def test_an_unknown_field_is_ignored_and_a_missing_one_takes_its_default() -> None:
    newer = msgpack.packb({"position": 1, "subjects": [], "added_later": True})

    assert unpack(newer, ResolvedPrincipal) == ResolvedPrincipal(position=1, subjects=(), principal=None)


def test_bytes_survive() -> None:
    asked = ResolveSession(project="p", user="u", secret_digest=bytes(range(256)))

    assert unpack(pack(asked), ResolveSession) == asked


@given(st.binary(max_size=200))
def test_garbage_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        unpack(data, ResolveSession)
