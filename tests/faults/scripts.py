"""What servers do: the parts of which the faults are made."""

import select
import socket
from collections.abc import Callable
from weakref import WeakSet

from faults.server import TOKEN, Script, good, good_head, request_id, whole
from transports import raw_server
from transports.raw_server import Behaviour

SECRET = TOKEN.encode()
LINE = b"\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def raw(behaviour: Behaviour) -> Script:
    """A behaviour that does not look at the request."""
    return lambda connection, request: behaviour(connection)


def sends(data: bytes | Callable[[bytes], bytes], then: str = "stay") -> Script:
    """Sends bytes.

    :param data: The bytes, or what makes them of the request.
    :param then: ``stay`` for the next request, ``close``, ``reset``, or ``hang``.
    """

    def script(connection: socket.socket, request: bytes) -> None:
        made = data if isinstance(data, bytes) else data(request)
        ends: dict[str, Callable[[bytes], Behaviour]] = {
            "stay": raw_server.send,
            "close": raw_server.send_and_close,
            "reset": raw_server.send_and_reset,
            "hang": raw_server.send_and_hang,
        }
        ends[then](made)(connection)

    return script


def head(extra: bytes = b"", then: str = "hang") -> Script:
    """Sends status line and headers, and more that may be wrong."""
    return sends(lambda request: good_head(request) + extra, then)


def body(content: bytes, *headers: str) -> Script:
    """A success with this body."""
    return sends(lambda request: whole(good_head(request), content, *headers))


def status(line: str, *headers: str, content: bytes = b"") -> Script:
    """A response with this status."""
    first = f"HTTP/1.1 {line}\r\n".encode()
    return sends(whole(first, content or b'{"error":{"code":"X","message":"x"}}', *headers))


def drips(part: bytes, first: bytes = b"") -> Script:
    """Sends a head, and then a part every 50 ms."""

    def script(connection: socket.socket, request: bytes) -> None:
        raw_server.drip(good_head(request) + first, part)(connection)

    return script


def floods(part: bytes, first: bytes = b"") -> Script:
    """Sends a head, and then a part as fast as it is read."""

    def script(connection: socket.socket, request: bytes) -> None:
        raw_server.drip(good_head(request) + first, part, pause=0)(connection)

    return script


def ends_with(script: Script) -> Script:
    """Answers the first request of a connection, and does something else after it."""
    seen: WeakSet[socket.socket] = WeakSet()

    def both(connection: socket.socket, request: bytes) -> None:
        if connection in seen:
            return script(connection, request)
        seen.add(connection)
        return connection.sendall(good(request))

    return both


def answers_twice(request: bytes) -> bytes:
    """The response, and the response to a request that nobody made."""
    return good(request) + another(request)


def another(request: bytes) -> bytes:
    """The response to somebody else's request."""
    return good(request.replace(request_id(request).encode(), b"0" * 36))


def later(data: Callable[[bytes], bytes], *, waits: bool = True) -> Script:
    """Answers, and sends something unasked a moment later.

    :param data: Makes what to send of the request.
    :param waits: Whether to wait for the next request, if that comes soon, and send before it is
        answered. Otherwise it is sent before there is one.
    """

    def script(connection: socket.socket, request: bytes) -> None:
        connection.sendall(good(request))
        if waits:
            select.select([connection], [], [], 0.1)
        connection.sendall(data(request))

    return script
