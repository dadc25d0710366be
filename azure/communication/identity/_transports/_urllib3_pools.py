"""Pools of urllib3 that keep to the limits, and to their process.

A pool takes its queue and its connections from two public attributes, ``QueueCls`` and
``ConnectionCls``. Ours build on what is there: recorders such as vcrpy replace ``ConnectionCls``.
"""

import os
import queue
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from ssl import SSLSocket
from typing import Any

import urllib3

from . import _limits
from ._attempt import Attempt
from ._guarded_reading import GuardedResponse, GuardedSocket
from ._threads import call_in_thread

MAX_IDLE = 64
"""Connections that are kept; more are opened when more threads send at once."""

_SMALL_BODY = 64 * 1024


class CurrentAttempt(threading.local):
    """Tells the connections of a thread its attempt."""

    attempt: "SyncAttempt | None" = None


CURRENT = CurrentAttempt()


class SyncAttempt(Attempt):
    """An attempt that another thread can end."""

    __slots__ = ("socket",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.socket: socket.socket | None = None

    def abort(self) -> None:
        """Wakes a thread that waits for the response."""
        self.is_aborted = True
        if self.socket is not None:
            # Not the shutdown of an SSLSocket, which takes its state from the reading thread.
            with suppress(OSError, TypeError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class IdleConnections(queue.LifoQueue[Any]):
    """The idle connections of a pool, without locks: a fork may happen while one is held."""

    def __init__(self, maxsize: int) -> None:
        self.maxsize = maxsize
        self._process = os.getpid()
        self._idle: deque[tuple[float, Any]] = deque()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Keeps a connection."""
        if item is None:  # urllib3 fills its queues with placeholders
            return
        now = time.monotonic()
        # A connection that a recorder makes has none of this.
        is_spent = getattr(item, "is_spent", lambda now: False)
        if os.getpid() != self._process or is_spent(now):
            item.close()
        elif len(self._idle) >= self.maxsize:
            raise queue.Full
        else:
            self._idle.append((now, item))

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The connection that was used last.

        :raises queue.Empty: If there is no usable connection.
        """
        is_foreign = os.getpid() != self._process
        while True:
            try:
                since, connection = self._idle.pop()
            except IndexError:
                raise queue.Empty from None
            if not is_foreign and time.monotonic() - since <= _limits.IDLE_SECONDS:
                return connection
            connection.close()

    def qsize(self) -> int:
        """How many connections are idle."""
        return len(self._idle)


class _Guarded:
    """Mixed into connections: tells the attempt what happens, and reads within its limits."""

    sock: Any
    close: Any
    attempt: SyncAttempt | None = None
    opened_at = 0.0
    has_excess = False
    _unsent: list[Any] | None = None

    def connect(self) -> None:
        """Connects, to the end of TLS and of a proxy's tunnel."""
        attempt = self.attempt = CURRENT.attempt
        try:
            if attempt is not None and attempt.has_deadline:
                # A name lookup cannot be interrupted.
                connect = partial(_connect, attempt, super().connect)  # type: ignore[misc]
                call_in_thread("connect", connect, attempt.within(None), TimeoutError, self.close)
            else:
                super().connect()  # type: ignore[misc]
        finally:
            if attempt is not None:
                attempt.is_sent = False  # a tunnel is opened by a request to the proxy
        self.opened_at = time.monotonic()
        self.has_excess = False

    def request(self, method: str, url: str, body: Any = None, *args: Any, **kwargs: Any) -> None:
        """Sends a request: the headers and a small body together.

        http.client sends them one after the other, which costs a system call and a packet.
        """
        is_small = isinstance(body, bytes) and len(body) <= _SMALL_BODY
        unsent = self._unsent = [] if is_small else None
        try:
            super().request(method, url, body, *args, **kwargs)  # type: ignore[misc]
        finally:
            self._unsent = None
        if unsent:
            self.send(b"".join(unsent))

    def send(self, data: Any) -> None:
        """Sends a part of a request."""
        if self._unsent is not None:
            self._unsent.append(data)
            return
        if self.sock is None:
            self.connect()
        sock: Any = self.sock
        attempt = self.attempt = CURRENT.attempt
        if attempt is not None:
            attempt.socket = sock
            if attempt.is_aborted:
                raise OSError("The client is closed.")
            limit = sock.gettimeout()
            if (remaining := attempt.within(limit)) != limit:
                sock.settimeout(remaining)
            attempt.is_sent = True
        super().send(data)  # type: ignore[misc]

    def response_class(self, sock: Any, *args: Any, **kwargs: Any) -> Any:
        """Makes the response of http.client."""
        guard = GuardedSocket(sock, self.attempt, self._note_excess)
        return GuardedResponse(guard, *args, **kwargs)

    def _note_excess(self) -> None:
        self.has_excess = True

    def is_spent(self, now: float) -> bool:
        """Whether the connection is too old for another request, or has unsolicited data.

        :param float now: The :func:`time.monotonic` now.
        """
        if self.sock is None:  # urllib3 connects it anew
            return False
        if self.has_excess or (isinstance(self.sock, SSLSocket) and self.sock.pending()):
            return True
        return now - self.opened_at > _limits.CONNECTION_SECONDS


def _connect(attempt: SyncAttempt, connect: Callable[[], None]) -> None:
    CURRENT.attempt = attempt  # in a thread of its own
    connect()


@lru_cache(maxsize=32)
def _mixed(guard: type[object], base: Any) -> Any:
    return type(f"Guarded{base.__name__}", (guard, base), {})


class _GuardedPool:
    """Mixed into pools."""

    QueueCls = IdleConnections

    @property
    def ConnectionCls(self) -> Any:  # noqa: N802 - the name of urllib3
        return _mixed(_Guarded, super().ConnectionCls)  # type: ignore[misc]


def new_pool(origin: str, manager: urllib3.PoolManager) -> Any:
    """The pool of a manager for an origin, whose connections keep to the limits."""
    manager.pool_classes_by_scheme = {
        scheme: _mixed(_GuardedPool, pool_class)
        for scheme, pool_class in manager.pool_classes_by_scheme.items()
    }
    return manager.connection_from_url(origin)
