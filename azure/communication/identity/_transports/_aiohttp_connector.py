"""The connections of the async client."""

import asyncio
import os
import socket
import time
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import aiohttp

from . import _limits
from ._aiohttp_attempts import CURRENT_ATTEMPT
from ._tcp import socket_options

_CONNECTORS: WeakSet["Connector"] = WeakSet()
_NOWHERE: list[socket.socket] = []

# aiohttp's own limit, 100, lets tasks that wait for a connection starve behind those that have one.
_CONNECTIONS = 1024


class Connector(aiohttp.TCPConnector):
    """Keeps connections, and decides which of them may carry another request.

    In a forked child it counts as closed: closing connections shared with the parent would end the
    parent's TLS sessions, and remove its sockets from the selector.
    """

    def __init__(self) -> None:
        super().__init__(
            limit=_CONNECTIONS,
            keepalive_timeout=_limits.IDLE_SECONDS,
            ttl_dns_cache=_limits.ADDRESS_SECONDS,
            socket_factory=_new_socket,
        )
        # When a connection was opened, and its sockets, which uvloop does not give away.
        self._opened: WeakKeyDictionary[Any, tuple[float, list[Any]]] = WeakKeyDictionary()
        self._process = os.getpid()
        self._home = asyncio.get_running_loop()
        _CONNECTORS.add(self)

    @property
    def closed(self) -> bool:
        """Whether no further request can be sent."""
        return self._is_lost() or super().closed

    def _is_lost(self) -> bool:
        return os.getpid() != self._process or self._home.is_closed()

    def leave_to_parent(self, nowhere: int) -> None:
        """Redirects the descriptors of the parent's connections, in a forked child.

        Closing or collecting objects in the child then leaves the parent's connections alone:
        asyncio of Python 3.10 ends TLS in a destructor, and the selector is shared with the parent.

        :param int nowhere: The descriptor of another socket.
        """
        for protocol in list(self._opened):
            transport = protocol.transport
            sock = None if transport is None else transport.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:
                os.dup2(nowhere, sock.fileno(), inheritable=False)

    def __del__(self, *args: Any) -> None:
        if not self._is_lost():
            super().__del__(*args)

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        """Takes an idle connection or opens one, as the base class does.

        Unsolicited data on an idle connection would be mistaken for the response, and a connection
        that lives for hours never sees that the addresses of a name have changed: both are closed.

        :raises ~aiohttp.ClientConnectionError: If the server sends data before it is asked, or
            the attempt had a connection before: aiohttp repeats some requests, which is for the
            retry policy to decide.
        """
        attempt = CURRENT_ATTEMPT.get()
        if attempt is not None:
            if attempt.is_begun:
                raise aiohttp.ClientConnectionError
            attempt.is_begun = True
        while True:
            connection = await super().connect(*args, **kwargs)
            protocol: Any = connection.protocol
            now = time.monotonic()
            opened_at, sockets = self._opened.get(protocol, (None, []))
            if protocol.should_close or (
                opened_at is not None and now - opened_at > _limits.CONNECTION_SECONDS
            ):
                if connection.transport is not None:
                    connection.transport.abort()
                connection.close()
                if opened_at is None:
                    raise aiohttp.ClientConnectionError
                continue
            if opened_at is None:
                sockets = [] if attempt is None else attempt.sockets
                self._opened[protocol] = (now, sockets)
            if attempt is not None:
                attempt.is_sent = True
                attempt.transport, attempt.sockets = protocol.transport, sockets
                limits = attempt.timeouts
                if opened_at is None or not limits.connect or limits.connect > (limits.read or 0):
                    attempt.limit_to(limits.read)
            return connection


def _new_socket(address: Any) -> socket.socket:
    family, kind, protocol, *_ = address
    result = socket.socket(family, kind, protocol)
    for option in socket_options():
        result.setsockopt(*option)
    if attempt := CURRENT_ATTEMPT.get():
        attempt.sockets.append(result)
    return result


def _after_fork() -> None:
    if connectors := list(_CONNECTORS):
        # The other end stays open, so that late writes of the child do not fail.
        _NOWHERE[:] = socket.socketpair()
        for connector in connectors:
            connector.leave_to_parent(_NOWHERE[0].fileno())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
