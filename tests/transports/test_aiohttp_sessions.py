"""The session of the async transport: its owner, its event loop, and its end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from azure.core.rest import HttpRequest
from transports.raw_server import RawServer, answer

from azure.communication.identity._transports._aiohttp import AiohttpTransport, _before_headers
from azure.communication.identity._transports._settings import Timeouts

Transport: Any = AiohttpTransport


@pytest.fixture
async def given() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def other_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def test_it_is_made_on_demand_and_closed_with_the_transport() -> None:
    transport = Transport()
    assert not transport.session
    async with transport:
        session: Any = transport.session
        assert isinstance(session, aiohttp.ClientSession)
        await transport.open()
        assert transport.session is session
    assert session.closed
    with pytest.raises(ValueError, match="already been closed"):
        await transport.open()
    await transport.close()


@pytest.mark.parametrize("is_used", [True, False])
@pytest.mark.parametrize("is_owner", [True, False])
async def test_that_of_the_caller_is_closed_by_its_owner(
    given: aiohttp.ClientSession, is_used: bool, is_owner: bool
) -> None:
    transport = Transport(session=given, session_owner=is_owner)
    assert transport.session is given
    if is_used:
        await transport.open()
        assert transport.session is given
    await transport.close()
    assert given.closed is is_owner
    if not is_owner:
        await transport.open()  # it was not closed


async def test_an_owner_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="session_owner cannot be False"):
        Transport(session_owner=False)


def test_a_closed_event_loop_gives_way_to_the_next_one() -> None:
    transport = Transport()
    sessions = []
    for _ in range(2):
        asyncio.run(transport.open())
        sessions.append(transport.session)
    assert sessions[0] is not sessions[1]
    asyncio.run(transport.close())


async def test_a_running_event_loop_keeps_it_until_another_closes_it(
    other_loop: asyncio.AbstractEventLoop,
) -> None:
    transport = Transport()
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(transport.open(), other_loop))
    session: Any = transport.session
    with pytest.raises(RuntimeError, match="connections of another event loop"):
        await transport.open()
    assert transport.session is session
    await transport.close()
    assert session.closed


async def test_it_is_closed_in_the_event_loop_that_it_belongs_to(
    other_loop: asyncio.AbstractEventLoop,
) -> None:
    closed_in: list[asyncio.AbstractEventLoop] = []

    class Connector(aiohttp.TCPConnector):
        def close(self, **options: Any) -> Any:
            closed_in.append(asyncio.get_running_loop())
            return super().close(**options)

    async def new() -> AiohttpTransport:
        transport = AiohttpTransport(session=aiohttp.ClientSession(connector=Connector()))
        await transport.open()
        return transport

    transport = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(new(), other_loop))
    await transport.close()
    assert closed_in == [other_loop]


def test_a_closed_event_loop_leaves_nothing_to_close() -> None:
    transport = Transport()
    asyncio.run(transport.open())
    asyncio.run(transport.close())
    with pytest.raises(ValueError, match="already been closed"):
        asyncio.run(transport.open())


@pytest.mark.parametrize(
    ("connect", "read", "if_own", "if_given"),
    [(1, 5, 5, 6), (5, 1, 5, 6), (None, 5, None, None), (1, None, None, None)],
)
def test_the_time_before_the_headers(
    connect: float | None, read: float | None, if_own: float | None, if_given: float | None
) -> None:
    limits = Timeouts(connect, read)
    assert _before_headers(limits, True) == if_own
    assert _before_headers(limits, False) == if_given


@pytest.mark.parametrize(("body", "has_type"), [(None, False), (b"", False), (b"{}", True)])
async def test_the_type_of_a_body_that_has_none_is_left_to_aiohttp(
    body: bytes | None, has_type: bool
) -> None:
    request = HttpRequest("POST", "http://127.0.0.1", content=body)
    with RawServer(answer(b"{}")) as server:
        request.url = server.url
        async with AiohttpTransport() as transport:
            await transport.send(request)
        (received,) = server.requests
    assert (b"content-type:" in received.lower()) is has_type
