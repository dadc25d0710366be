"""A client that is closed during a call, or that nobody closes."""

import asyncio
import gc
import ssl
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from azure.core.exceptions import AzureError
from either_client import KEY
from faults.scripts import raw
from faults.server import FaultServer
from faults.two_packets import (
    PATIENCE,
    USER,
    TwoPackets,
    eventually,
    nothing_is_open,
    only_this_task,
    threads_besides,
)
from transports.raw_server import send_and_hang

from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity.aio import (
    CommunicationIdentityClient as AsyncCommunicationIdentityClient,
)

CLOSED = "The client was closed during a request"
# Where a call waits when its client is closed.
WAITS = {
    "for headers": b"",
    "in the headers": b"HTTP/1.1 2",
    "for the body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
}


def repeatable(client: Any) -> list[Callable[[], Any]]:
    """Calls that are sent again after other failures."""
    return [partial(client.get_token, USER, ["chat"]), partial(client.revoke_tokens, USER)]


@pytest.fixture(params=list(WAITS))
def waiting(request: pytest.FixtureRequest, context: ssl.SSLContext | None) -> FaultServer:
    """A server that never completes a response."""
    return FaultServer(raw(send_and_hang(WAITS[request.param])), context)


def test_closing_ends_sync_calls(waiting: FaultServer, options: dict[str, Any]) -> None:
    before = set(threading.enumerate())
    errors: list[str] = []
    with waiting as server:
        client = CommunicationIdentityClient(server.url, KEY, **options)

        def call(function: Callable[[], object]) -> None:
            try:
                function()
            except AzureError as error:
                errors.append(str(error))

        callers = [
            threading.Thread(target=call, args=(function,))
            for function in (client.create_user, *repeatable(client))
        ]
        for caller in callers:
            caller.start()
        assert eventually(lambda: len(server.requests) == 3)
        client.close()
        for caller in callers:
            caller.join(PATIENCE)
        assert [error.partition(" to ")[0] for error in errors] == [CLOSED] * 3
        assert nothing_is_open(server)
    assert threads_besides(before) == []


async def test_closing_ends_async_calls(waiting: FaultServer, options: dict[str, Any]) -> None:
    with waiting as server:
        client = AsyncCommunicationIdentityClient(server.url, KEY, **options)
        calls = [
            asyncio.ensure_future(function())
            for function in (client.create_user, *repeatable(client))
        ]
        assert await asyncio.to_thread(eventually, lambda: len(server.requests) == 3)
        await client.close()
        for call in calls:
            with pytest.raises(AzureError, match=CLOSED):
                await asyncio.wait_for(call, PATIENCE)
        assert await only_this_task()
        assert await asyncio.to_thread(nothing_is_open, server)


def test_a_sync_client_that_nobody_closes(
    context: ssl.SSLContext | None, options: dict[str, Any]
) -> None:
    before = set(threading.enumerate())
    with TwoPackets(context) as server:
        client: Any = CommunicationIdentityClient(server.url, KEY, **options)
        client.get_token(USER, ["chat"])
        assert server.open_connections == 1
        del client
        gc.collect()
        assert nothing_is_open(server)
    assert threads_besides(before) == []


def test_an_async_client_that_nobody_closes(
    context: ssl.SSLContext | None, options: dict[str, Any]
) -> None:
    async def main(server: FaultServer) -> None:
        client: Any = AsyncCommunicationIdentityClient(server.url, KEY, **options)
        await client.get_token(USER, ["chat"])
        assert server.open_connections == 1
        with warnings.catch_warnings():
            # aiohttp warns of a session that nobody closes, and asyncio of its transports.
            warnings.simplefilter("ignore", ResourceWarning)
            del client
            gc.collect()
        assert await only_this_task()
        assert await asyncio.to_thread(nothing_is_open, server)

    with TwoPackets(context) as server:
        asyncio.run(main(server))
