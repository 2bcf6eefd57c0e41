import socket

import pytest

from services.embedded.errors import StartRefused
from services.embedded.port import DEFAULT_PORT, endpoint, take_port


def test_the_next_free_port_is_taken_where_the_default_one_is_not_free() -> None:
    with take_port("127.0.0.1", None) as first, take_port("127.0.0.1", None) as second:
        ports = [listener.getsockname()[1] for listener in (first, second)]

        assert DEFAULT_PORT <= ports[0] < ports[1]


def test_a_chosen_port_that_is_taken_is_refused() -> None:
    with take_port("127.0.0.1", 0) as listener:
        taken = listener.getsockname()[1]

        with pytest.raises(StartRefused, match=f"port {taken} of 127.0.0.1"):
            take_port("127.0.0.1", taken).__enter__()


def test_the_endpoint_is_one_that_a_client_can_use() -> None:
    with take_port("0.0.0.0", 0) as listener:
        assert endpoint(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def test_an_address_of_ipv6_is_written_in_brackets() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        taking = take_port("::1", 0)
        listener = taking.__enter__()
    except StartRefused:
        pytest.skip("no IPv6 loopback here")
    assert endpoint(listener) == f"http://[::1]:{listener.getsockname()[1]}/v1"
    taking.__exit__(None, None, None)


def test_a_host_that_is_none_is_refused() -> None:
    with pytest.raises(StartRefused, match="is not an address of this machine"):
        take_port("no-such-host.invalid", 0).__enter__()
