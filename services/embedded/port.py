"""The one port of an instance, taken before anything is started."""

import contextlib
import socket
from collections.abc import Iterator

from services.embedded.errors import StartRefused

DEFAULT_PORT = 8080
TRIED_PORTS = 20
BACKLOG = 1024


@contextlib.contextmanager
def take_port(host: str, port: int | None) -> Iterator[socket.socket]:
    """Listen on `port` (0: any free one); without one, on DEFAULT_PORT or the next that is free.

    Connections made before the services accept them wait. Raises `StartRefused` where that cannot be.
    """
    wanted = range(DEFAULT_PORT, DEFAULT_PORT + TRIED_PORTS) if port is None else (port,)
    with _listen(host, wanted) as listener:
        yield listener


def endpoint(listener: socket.socket) -> str:
    """Return the URL for clients; of a socket that listens on every address, the loopback's."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 read, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"


def _listen(host: str, ports: range | tuple[int, ...]) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise StartRefused(f"{host} is not an address of this machine") from error
    for port in ports:
        with contextlib.suppress(OSError):
            return _bind(family, kind, (address[0], port, *address[2:]))
    which = f"port {ports[0]}" if len(ports) == 1 else f"every port from {ports[0]} to {ports[-1]}"
    raise StartRefused(f"{which} of {host} is in use or not permitted: choose another --port, or 0 for any free port")


def _bind(family: int, kind: int, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
