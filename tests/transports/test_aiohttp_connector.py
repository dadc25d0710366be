"""The connections of the async transport, also in a forked child."""

import asyncio
import gc
import os
import socket
import warnings
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from transports.raw_server import RawServer, answer

from azure.communication.identity._transports._aiohttp_attempts import CURRENT_ATTEMPT
from azure.communication.identity._transports._aiohttp_connector import Connector
from azure.communication.identity._transports._settings import Timeouts

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")


class Transport:
    """A transport of asyncio."""

    def __init__(self, sock: socket.socket | None = None) -> None:
        self._socket = sock
        self.is_aborted = False

    def get_extra_info(self, name: str) -> Any:
        return {"socket": self._socket}[name]

    def abort(self) -> None:
        self.is_aborted = True


class Connection:
    """A connection of aiohttp, which is its own protocol."""

    def __init__(self, transport: Transport | None, should_close: bool = False) -> None:
        self.protocol = self
        self.transport = transport
        self.should_close = should_close
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


Opening = Callable[[Connector, Connection], Awaitable[Any]]


@pytest.fixture
def opening(monkeypatch: pytest.MonkeyPatch) -> Opening:
    """Makes a connector take a connection for the one that aiohttp opens."""

    async def connect(connector: Connector, connection: Connection) -> Any:
        async def opened(*args: Any) -> Connection:
            return connection

        monkeypatch.setattr(aiohttp.TCPConnector, "connect", opened)
        token = CURRENT_ATTEMPT.set(None)
        try:
            return await Connector.connect(connector)
        finally:
            CURRENT_ATTEMPT.reset(token)

    return connect


@pytest.mark.parametrize("transport", [Transport(), None], ids=["open", "lost"])
async def test_a_new_connection_on_which_the_server_speaks_first_is_closed(
    opening: Opening, transport: Transport | None
) -> None:
    connector, connection = Connector(), Connection(transport, should_close=True)
    with pytest.raises(aiohttp.ClientConnectionError):
        await opening(connector, connection)
    assert connection.is_closed
    assert transport is None or transport.is_aborted
    await connector.close()


async def test_it_is_closed_after_its_close_and_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    connector = Connector()
    states = [connector.closed]
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 1)
        states.append(connector.closed)
    states.append(connector.closed)
    await connector.close()
    states.append(connector.closed)
    assert states == [False, True, False, True]


@pytest.mark.parametrize("is_child", [False, True])
async def test_collecting_it_closes_the_connections_but_not_in_a_child(
    monkeypatch: pytest.MonkeyPatch, is_child: bool
) -> None:
    attempt: Any = SimpleNamespace(
        is_begun=False,
        timeouts=Timeouts(None, None),
        limit_to=lambda seconds: None,
        sockets=[],
    )
    CURRENT_ATTEMPT.set(attempt)
    with RawServer(answer(b"{}")) as server, warnings.catch_warnings(record=True) as warned:
        connector = Connector()
        async with (
            aiohttp.ClientSession(connector=connector, connector_owner=False) as session,
            session.get(server.url) as response,
        ):
            await response.read()
        del session, response
        warnings.simplefilter("always")
        if is_child:
            monkeypatch.setattr(os, "getpid", lambda: 1)
        del connector
        gc.collect()
        assert attempt.transport.is_closing() is not is_child
        attempt.transport.abort()
        await asyncio.sleep(0)  # in which it is closed
    assert any("Unclosed connector" in str(each.message) for each in warned) is not is_child


def identity(sock: socket.socket) -> tuple[int, int]:
    """The same for descriptors of the same socket."""
    status = os.fstat(sock.fileno())
    return status.st_dev, status.st_ino


class TestLeftToParent:
    @pytest.fixture
    def sockets(self) -> Iterator[list[socket.socket]]:
        made = [*socket.socketpair(), *socket.socketpair()]
        yield made
        for each in made:
            each.close()

    async def test_open_ones_alone_are_redirected(
        self, opening: Opening, sockets: list[socket.socket]
    ) -> None:
        nowhere, other, used, closed = sockets
        connector = Connector()
        closed.close()
        transports = [None, Transport(), Transport(closed), Transport(used)]
        connections = [Connection(transport) for transport in transports]
        for connection in connections:
            assert await opening(connector, connection) is connection
        connector.leave_to_parent(nowhere.fileno())
        assert identity(used) == identity(nowhere) != identity(other)
        await connector.close()

    @needs_fork
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks while there are threads
    async def test_a_fork_does_so(self, opening: Opening, sockets: list[socket.socket]) -> None:
        used = sockets[0]
        before = identity(used)
        connector, connection = Connector(), Connection(Transport(used))
        await opening(connector, connection)
        child = os.fork()
        if not child:
            os._exit(identity(used) == before)
        _, status = os.waitpid(child, 0)  # noqa: ASYNC222 - the child ends at once
        assert status == 0
        assert identity(used) == before
        await connector.close()
