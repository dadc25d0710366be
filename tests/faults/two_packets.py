"""A service that fails once, then answers slowly: a call passes through all of its parts."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable

from faults.server import FaultServer, good

USER = "8:acs:a-user"
PATIENCE = 20.0


class TwoPackets(FaultServer):
    """Answers each request with 503 first, and its retry in two packets.

    :param context: Makes it a TLS server.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(self._fail_or_answer, context)
        self._failed: set[bytes] = set()

    def _fail_or_answer(self, connection: socket.socket, request: bytes) -> None:
        # A retry is the same request, but for its date and signature.
        head = request.partition(b"x-ms-date")[0]
        data = good(request)
        if head not in self._failed:
            self._failed.add(head)
            data = b"HTTP/1.1 503 X\r\nContent-Length: 2\r\n\r\n{}"
        connection.sendall(data[:-1])
        time.sleep(0.001)
        connection.sendall(data[-1:])


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether a condition becomes true."""
    gives_up = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < gives_up:
        time.sleep(0.002)
    return condition()


def nothing_is_open(server: FaultServer) -> bool:
    """Whether all connections are closed before long."""
    return eventually(lambda: server.open_connections == 0)


async def only_this_task() -> bool:
    """Whether all other tasks of the event loop end before long.

    aiohttp shares the lookup of a name between requests: a cancelled request does not end it.
    """
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=PATIENCE)
    return len(asyncio.all_tasks()) == 1


def threads_besides(before: set[threading.Thread]) -> list[str]:
    """The names of threads that a client left running."""
    return [
        thread.name
        for thread in set(threading.enumerate()) - before
        if not thread.name.endswith(("(_serve)", "(_accept)"))
    ]
