"""Which requests go out over connections of aiohttp without a session, and what becomes of them."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError, ServiceResponseTimeoutError
from azure.core.rest import HttpRequest
from transports.raw_server import (
    PATIENCE,
    RawServer,
    answer,
    send,
    send_and_close,
    send_and_hang,
)

from azure.communication.identity._transports._aiohttp import AiohttpTransport

Send = Callable[[AiohttpTransport], Awaitable[Any]]


def run(send: Send, **options: Any) -> Any:
    """What ``send`` returns, which is given a transport."""

    async def inside() -> Any:
        async with AiohttpTransport(**options) as transport:
            return await send(transport)

    return asyncio.run(inside())


def post(server: RawServer, **options: Any) -> HttpRequest:
    return HttpRequest("POST", f"{server.url}/a", **options)


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what a server notices in a thread of its own."""

    def poll() -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.01)

    await asyncio.to_thread(poll)
    assert condition()


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_connection_is_kept(secure: bool, server_context: ssl.SSLContext, bundle: str) -> None:
    with RawServer(answer(b"{}"), server_context if secure else None) as server:

        async def several(transport: AiohttpTransport) -> None:
            for _ in range(3):
                assert (await transport.send(post(server))).content == b"{}"
            response = await transport.send(post(server), stream=True)
            assert b"".join([block async for block in response.iter_bytes()]) == b"{}"
            assert (await transport.send(post(server))).content == b"{}"

        run(several, connection_verify=bundle)
    assert server.connections == 1


@pytest.mark.parametrize(
    "behave",
    [
        answer(b"{}", "Connection: close"),
        send(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        # What comes unasked must not be taken for the answer to the next request.
        send(2 * b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    ],
    ids=["close", "HTTP/1.0", "two answers"],
)
def test_a_connection_is_not_used_again(behave: Any) -> None:
    with RawServer(behave) as server:

        async def two(transport: AiohttpTransport) -> None:
            for _ in range(2):
                assert (await transport.send(post(server))).content == b"{}"

        run(two)
    assert server.connections == 2


def test_a_body_that_is_not_read_costs_its_connection() -> None:
    with RawServer(send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")) as server:

        async def two(transport: AiohttpTransport) -> None:
            for _ in range(2):
                async with await transport.send(post(server), stream=True):
                    pass

        run(two)
    assert server.connections == 2


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_a_kept_connection_that_the_server_closes(method: str) -> None:
    """aiohttp would send a DELETE once more: the retry policy decides that here."""
    behaviours = [answer(b"{}"), send_and_close(b""), answer(b"{}")]
    with RawServer(lambda connection: behaviours.pop(0)(connection)) as server:

        async def two(transport: AiohttpTransport) -> None:
            request = HttpRequest(method, f"{server.url}/a")
            await transport.send(request)
            with pytest.raises(ServiceResponseError):
                await transport.send(request)

        run(two)
    assert len(server.requests) == 2


def test_what_comes_unasked_is_no_answer() -> None:
    def twice(connection: socket.socket) -> None:
        answer(b"asked")(connection)
        time.sleep(0.1)
        answer(b"unasked")(connection)

    with RawServer(twice) as server:

        async def two(transport: AiohttpTransport) -> None:
            for _ in range(2):
                assert (await transport.send(post(server))).content == b"asked"
                await asyncio.sleep(0.2)

        run(two)
    assert server.connections == 2


def test_no_answer_after_a_provisional_one() -> None:
    with RawServer(send_and_hang(b"HTTP/1.1 100 Continue\r\n\r\n")) as server:

        async def wait(transport: AiohttpTransport) -> None:
            with pytest.raises(ServiceResponseTimeoutError):
                await transport.send(post(server))

        run(wait, connection_timeout=0.2, read_timeout=0.2)


def test_another_event_loop_sends_nothing() -> None:
    with RawServer(answer()) as server:
        transport = AiohttpTransport()

        async def use() -> None:
            await transport.send(post(server))

        with closing(asyncio.new_event_loop()) as first, closing(asyncio.new_event_loop()) as other:
            first.run_until_complete(use())
            with pytest.raises(
                RuntimeError, match="The client has connections of another event loop"
            ):
                other.run_until_complete(use())
            first.run_until_complete(transport.close())
    assert len(server.requests) == 1


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_a_transport_that_is_closed_meanwhile(sent: bytes) -> None:
    with RawServer(send_and_hang(sent)) as server:

        async def close(transport: AiohttpTransport) -> None:
            sending = asyncio.ensure_future(transport.send(post(server)))
            await until(lambda: bool(server.requests))
            await asyncio.sleep(0.05)
            await transport.close()
            with pytest.raises(ServiceResponseError, match="was closed during"):
                await asyncio.wait_for(sending, 2)

        run(close)


@pytest.mark.parametrize(
    "behave",
    [send_and_hang(b""), send_and_hang(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")],
    ids=["without an answer", "in the body"],
)
def test_a_request_that_is_cancelled_closes_its_connection(behave: Any) -> None:
    with RawServer(behave) as server:

        async def cancel(transport: AiohttpTransport) -> None:
            sending = asyncio.ensure_future(transport.send(post(server)))
            await until(lambda: bool(server.requests))
            await asyncio.sleep(0.05)  # for what there is of the answer to arrive
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            await until(lambda: not server.open_connections)

        run(cancel)
