"""A proxy that supports only CONNECT."""

import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType

from typing_extensions import Self


class TunnelProxy:
    """Opens tunnels, and records their targets.

    :param context: Makes it a TLS server.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.targets: list[str] = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        host = "http://127.0.0.1" if context is None else "https://localhost"
        self.url = f"{host}:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._context is not None:
                    client = self._context.wrap_socket(
                        client, server_side=True, do_handshake_on_connect=False
                    )
                threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            method, target, _ = client.recv(65536).decode().split(" ", 2)
            assert method == "CONNECT"
            self.targets.append(target)
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
