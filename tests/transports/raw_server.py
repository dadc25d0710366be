"""A server that answers with exactly the bytes that a test asks for, well-formed or not."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from typing_extensions import Self

Behaviour = Callable[[socket.socket], None]

# How long to wait for a peer that hangs. Tests use shorter timeouts.
PATIENCE = 5.0


class RawServer:
    """Reads a request, keeps it, and lets a behaviour answer on the socket.

    :param behave: What to do with the socket once a request has been read; once per request.
    :param context: Makes it a TLS server.
    """

    def __init__(self, behave: Behaviour, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.open_connections = 0
        self._behave = behave
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.scheme = "http" if context is None else "https"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self._context is None else "localhost"
        return f"{self.scheme}://{host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        # A close alone leaves accept() waiting.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open_connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        # Otherwise the second of two packets waits 40 ms for the first one to be acknowledged.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError), connection:
            if self._context is None:
                self._answer(connection)
            else:
                with self._context.wrap_socket(connection, server_side=True) as secure:
                    self._answer(secure)
        self.open_connections -= 1

    def _answer(self, connection: socket.socket) -> None:
        while request := _read_request(connection):
            self.requests.append(request)
            self._behave(connection)


def _read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        if not (block := connection.recv(65536)):
            return b""
        received += block
        if not received[:1].isalpha():  # the hello of TLS
            return received
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            length = int(value)
    while len(body) < length:
        if not (block := connection.recv(65536)):
            return b""
        body += block
    return head + b"\r\n\r\n" + body


def answer(body: bytes = b"{}", *headers: str, status: str = "200 OK") -> Behaviour:
    """A whole response that keeps the connection open."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return send("\r\n".join(lines).encode() + body)


def send(data: bytes) -> Behaviour:
    """The bytes, and nothing more."""
    return lambda connection: connection.sendall(data)


def send_and_close(*data: bytes) -> Behaviour:
    """The bytes, each part in a separate packet, then a clean end of the connection."""

    def behave(connection: socket.socket) -> None:
        for part in filter(None, data):
            connection.sendall(part)
            threading.Event().wait(0.1)
        connection.shutdown(socket.SHUT_RDWR)

    return behave


def send_and_reset(data: bytes) -> Behaviour:
    """The bytes, and the end of the connection by a reset."""

    def behave(connection: socket.socket) -> None:
        if data:
            connection.sendall(data)
            # Let the peer read them, which a reset would throw away.
            threading.Event().wait(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return behave


def send_and_hang(data: bytes) -> Behaviour:
    """The bytes, and then silence until the peer gives up."""

    def behave(connection: socket.socket) -> None:
        if data:
            connection.sendall(data)
        while connection.recv(65536):
            pass

    return behave


def drip(head: bytes, part: bytes, pause: float = 0.05) -> Behaviour:
    """The head, and then the part over and over until the peer gives up."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(head)
        gives_up = time.monotonic() + PATIENCE
        while time.monotonic() < gives_up:
            connection.sendall(part)
            time.sleep(pause)

    return behave
