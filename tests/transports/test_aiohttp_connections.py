"""Which requests go out over connections of aiohttp without a session, and what becomes of them."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from typing import Any
from unittest import mock

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler
from azure.core.exceptions import ServiceRequestError, ServiceResponseTimeoutError
from azure.core.rest import HttpRequest
from transports.raw_server import (
    PATIENCE,
    RawServer,
    answer,
    send,
    send_and_close,
    send_and_hang,
)

from azure.communication.identity._transports import _exchange
from azure.communication.identity._transports._aiohttp import AiohttpResponse, AiohttpTransport
from azure.communication.identity._transports._exchange import Exchange

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


class TestWhoSends:
    """The session sends whatever needs something of it."""

    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The methods of the requests that were sent without a session."""
        methods: list[str] = []
        send_as_before = Exchange.send

        async def keep(exchange: Exchange, peer: Any, method: str, *rest: Any) -> Any:
            methods.append(method)
            return await send_as_before(exchange, peer, method, *rest)

        monkeypatch.setattr(Exchange, "send", keep)
        return methods

    def test_of_a_session_of_our_own_nothing_is_needed(self, sent: list[str]) -> None:
        with RawServer(answer()) as server:
            run(lambda transport: transport.send(post(server)))
        assert sent == ["POST"]

    def test_a_session_of_the_caller(self, sent: list[str]) -> None:
        async def send(server: RawServer) -> None:
            async with (
                aiohttp.ClientSession(headers={"X-Of": "session"}) as session,
                AiohttpTransport(session=session) as transport,
            ):
                await transport.send(post(server))

        with RawServer(answer()) as server:
            asyncio.run(send(server))
        assert b"\r\nX-Of: session\r\n" in server.requests[0]
        assert sent == []

    def test_a_session_that_is_traced(
        self, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        traced: list[str] = []

        async def on_end(_: Any, __: Any, parameters: aiohttp.TraceRequestEndParams) -> None:
            traced.append(parameters.method)

        config = aiohttp.TraceConfig()
        config.on_request_end.append(on_end)
        init = aiohttp.ClientSession.__init__
        # As instrumentation does it.
        monkeypatch.setattr(
            aiohttp.ClientSession,
            "__init__",
            lambda session, *args, **kwargs: init(session, *args, trace_configs=[config], **kwargs),
        )
        with RawServer(answer()) as server:
            run(lambda transport: transport.send(post(server)))
        assert (sent, traced) == ([], ["POST"])

    def test_a_session_of_another_class(
        self, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.warns(DeprecationWarning, match="Inheritance"):

            class Theirs(aiohttp.ClientSession):
                pass

        monkeypatch.setattr(aiohttp, "ClientSession", Theirs)
        with RawServer(answer()) as server:
            run(lambda transport: transport.send(post(server)))
        assert (sent, len(server.requests)) == ([], 1)

    def test_a_session_that_is_made_otherwise(
        self, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        init = aiohttp.ClientSession.__init__
        more = {"X-Of": "session"}
        monkeypatch.setattr(
            aiohttp.ClientSession,
            "__init__",
            lambda session, *args, **kwargs: init(session, *args, headers=more, **kwargs),
        )
        with RawServer(answer()) as server:
            run(lambda transport: transport.send(post(server)))
        assert b"\r\nX-Of: session\r\n" in server.requests[0]
        assert sent == []

    def test_a_session_that_is_traced_later(self, sent: list[str]) -> None:
        async def send(transport: AiohttpTransport) -> None:
            await transport.open()
            assert transport.session is not None
            transport.session.trace_configs.append(aiohttp.TraceConfig())
            transport.session.trace_configs[0].freeze()
            await transport.send(post(server))

        with RawServer(answer()) as server:
            run(send)
        assert (sent, len(server.requests)) == ([], 1)

    def test_a_session_that_takes_the_place_of_ours(self, sent: list[str]) -> None:
        async def send(transport: AiohttpTransport) -> None:
            await transport.open()
            assert transport.session is not None
            await transport.session.close()
            transport.session = aiohttp.ClientSession(headers={"X-Of": "session"})
            await transport.send(post(server))

        with RawServer(answer()) as server:
            run(send)
        assert b"\r\nX-Of: session\r\n" in server.requests[0]
        assert sent == []

    @pytest.mark.parametrize("method", ["request", "_request"])
    def test_a_method_of_the_session_that_is_patched(self, sent: list[str], method: str) -> None:
        async def send(transport: AiohttpTransport) -> None:
            await transport.open()
            with (
                mock.patch.object(transport.session, method, side_effect=aiohttp.ClientError),
                pytest.raises(ServiceRequestError),
            ):
                await transport.send(post(server))

        with RawServer(answer()) as server:
            run(send)
        assert (sent, server.requests) == ([], [])

    @pytest.mark.parametrize("method", ["request", "_request"])
    def test_a_method_that_is_wrapped(
        self, sent: list[str], monkeypatch: pytest.MonkeyPatch, method: str
    ) -> None:
        seen: list[str] = []
        monkeypatch.setattr(
            aiohttp.ClientSession, method, Pretender(getattr(aiohttp.ClientSession, method), seen)
        )
        with RawServer(answer()) as server:
            run(lambda transport: transport.send(post(server)))
        assert (sent, seen) == ([], ["POST"])

    def test_a_method_that_was_wrapped_before_the_import(self) -> None:
        own = aiohttp.ClientSession._request
        assert _exchange._aiohttps_own(own) is own
        assert _exchange._aiohttps_own(Pretender(own, [])) is None
        assert _exchange._aiohttps_own(lambda session: own(session, "GET", "")) is None

    def test_a_version_that_is_not_known(
        self, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(aiohttp, "__version__", "3.99.0")
        with RawServer(answer()) as server:
            run(lambda transport: transport.send(post(server)))
        assert (sent, len(server.requests)) == ([], 1)

    def test_a_body_in_pieces(self, sent: list[str]) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"12"
            yield b"34"

        with RawServer(send_and_close(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
            run(lambda transport: transport.send(post(server, content=pieces())))
        assert b"transfer-encoding: chunked" in server.requests[0].lower()
        assert sent == []

    def test_a_long_body(self, sent: list[str]) -> None:
        with RawServer(answer()) as server:
            run(lambda transport: transport.send(post(server, content=b"x" * 100_000)))
        assert server.requests[0].endswith(b"\r\n\r\n" + b"x" * 100_000)
        assert sent == []

    def test_a_user_in_the_url(self, sent: list[str]) -> None:
        with RawServer(answer()) as server:
            url = server.url.replace("//", "//user:password@")
            run(lambda transport: transport.send(HttpRequest("GET", url)))
        assert b"\r\nAuthorization: Basic dXNlcjpwYXNzd29yZA==\r\n" in server.requests[0]
        assert sent == []


class Pretender:
    """Looks like the method that it wraps, as proxies of libraries for instrumentation do."""

    def __init__(self, wrapped: Any, seen: list[str]) -> None:
        self._wrapped = wrapped
        self._seen = seen
        self.__code__ = wrapped.__code__

    @property  # type: ignore[misc] # as wrapt does
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(self._wrapped)

    def __eq__(self, other: object) -> bool:
        return other is self._wrapped

    def __hash__(self) -> int:
        return hash(self._wrapped)

    def __get__(self, session: Any, _: Any) -> Any:
        return self if session is None else lambda *args, **kwargs: self(session, *args, **kwargs)

    def __call__(self, session: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        self._seen.append(method)
        return self._wrapped(session, method, *args, **kwargs)


def test_a_request_as_it_is_sent() -> None:
    with RawServer(answer()) as server:
        request = post(server, content=b"{}", headers={"Accept": "a"})
        run(lambda transport: transport.send(request))
    assert server.requests == [
        f"POST /a HTTP/1.1\r\ncontent-length: 2\r\naccept: a\r\naccept-encoding: gzip, deflate\r\n"
        f"host: 127.0.0.1:{server.port}\r\n\r\n{{}}".encode()
    ]


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


@pytest.mark.parametrize(("method", "is_repeated"), [("DELETE", True), ("POST", False)])
def test_a_kept_connection_that_the_server_closes(method: str, is_repeated: bool) -> None:
    """It may have closed it before it got the request: what may be repeated is, as in aiohttp."""
    behaviours = [answer(b"{}"), send_and_close(b""), answer(b"{}")]
    with RawServer(lambda connection: behaviours.pop(0)(connection)) as server:

        async def two(transport: AiohttpTransport) -> None:
            request = HttpRequest(method, f"{server.url}/a")
            await transport.send(request)
            if is_repeated:
                await transport.send(request)
            else:
                with pytest.raises(ServiceRequestError):
                    await transport.send(request)

        run(two)
    assert len(server.requests) == 2 + is_repeated


def test_what_may_be_repeated_is_repeated_once() -> None:
    with RawServer(send_and_close(b"")) as server:

        async def delete(transport: AiohttpTransport) -> None:
            with pytest.raises(ServiceRequestError):
                await transport.send(HttpRequest("DELETE", f"{server.url}/a"))

        run(delete)
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


def test_a_server_that_always_answers_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ResponseHandler, "should_close", True)
    with RawServer(answer()) as server:

        async def send(transport: AiohttpTransport) -> None:
            with pytest.raises(ServiceRequestError, match="before it is asked"):
                await transport.send(post(server))

        run(send)
    assert server.requests == []


def test_no_answer_after_a_provisional_one() -> None:
    with RawServer(send_and_hang(b"HTTP/1.1 100 Continue\r\n\r\n")) as server:

        async def wait(transport: AiohttpTransport) -> None:
            with pytest.raises(ServiceResponseTimeoutError):
                await transport.send(post(server))

        run(wait, read_timeout=0.2)


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


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_a_transport_that_is_closed_meanwhile(method: str) -> None:
    with RawServer(send_and_hang(b"")) as server:

        async def close(transport: AiohttpTransport) -> None:
            request = HttpRequest(method, f"{server.url}/a")
            sending = asyncio.ensure_future(transport.send(request))
            await until(lambda: bool(server.requests))
            await transport.close()
            with pytest.raises(ServiceRequestError):
                await sending

        run(close)


def test_a_cancellation_at_the_moment_of_an_answer_holds() -> None:
    async def cancel() -> None:
        part: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        stream = mock.Mock(is_eof=lambda: False, readany=lambda: part)
        internal = mock.Mock(status=200, reason="OK", content=stream)
        response = AiohttpResponse(
            HttpRequest("GET", "http://a"), internal, 10, decompress=True, read_timeout=1
        )
        reading = asyncio.ensure_future(response.read())
        await asyncio.sleep(0.01)
        part.set_result(b"")
        await asyncio.sleep(0)
        if reading.cancel():  # False: it has ended already
            with pytest.raises(asyncio.CancelledError):
                await reading

    asyncio.run(cancel())


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
