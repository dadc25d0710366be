"""Which connections carry another request, on both transports."""

import asyncio
import gc
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import pytest
from azure.core.exceptions import (
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.rest import HttpRequest
from transports.kept import Kept, MakeKept
from transports.raw_server import (
    PATIENCE,
    Behaviour,
    RawServer,
    answer,
    send,
    send_and_close,
    send_and_hang,
)

from azure.communication.identity._transports import _aiohttp_connector, _limits
from azure.communication.identity._transports._aiohttp import AiohttpTransport
from azure.communication.identity._transports._urllib3 import Urllib3Transport


def until(condition: Callable[[], bool]) -> None:
    """Waits until a server notices an event in its own thread."""
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


@pytest.fixture(params=[False, True], ids=["http", "https"])
def context(request: pytest.FixtureRequest, server_context: ssl.SSLContext) -> Any:
    return server_context if request.param else None


def test_a_connection_is_kept(make_kept: MakeKept, context: Any, bundle: str) -> None:
    kept = make_kept(connection_verify=bundle)
    with RawServer(answer(b"{}"), context) as server:
        for _ in range(3):
            assert kept.send(server).content == b"{}"
        response = kept.send(server, stream=True)
        assert (kept.run(response.read()) or response.content) == b"{}"
        assert kept.send(server).content == b"{}"
        assert server.connections == 1


_TWO = 2 * b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
_LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"1" * 9000


@pytest.mark.parametrize(
    ("behave", "body"),
    [
        (answer(b"{}", "Connection: close"), b"{}"),
        (send(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"), b"{}"),
        # Unsolicited data must not be mistaken for the next response.
        (send(_TWO), b"{}"),
        (send(_LONG + _TWO), b"1" * 9000),
    ],
    ids=["close", "HTTP/1.0", "two answers", "two answers, of which one is long"],
)
def test_a_connection_that_is_not_used_again(
    make_kept: MakeKept, context: Any, bundle: str, behave: Behaviour, body: bytes
) -> None:
    kept = make_kept(connection_verify=bundle)
    with RawServer(behave, context) as server:
        for _ in range(2):
            assert kept.send(server).content == body
        assert server.connections == 2


def assert_soon_closed(kept: Kept, sockets: list[socket.socket]) -> None:
    deadline = time.monotonic() + PATIENCE / 2
    while any(sock.fileno() >= 0 for sock in sockets) and time.monotonic() < deadline:
        kept.idle(0.01)
    assert [sock.fileno() for sock in sockets] == [-1]


@pytest.mark.parametrize("flavour", ["async"])
class TestClosedConnections:
    """The end of TLS waits for the server, which may outlive the client and its event loop."""

    @pytest.fixture
    def sockets(self, monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
        """All sockets of the client."""
        found: list[socket.socket] = []
        new_socket = _aiohttp_connector._new_socket

        def record(address: object) -> socket.socket:
            found.append(new_socket(address))
            return found[-1]

        monkeypatch.setattr(_aiohttp_connector, "_new_socket", record)
        return found

    @pytest.fixture
    def is_over(self) -> Iterator[threading.Event]:
        """Until then the server does nothing more."""
        event = threading.Event()
        yield event
        event.set()

    @pytest.mark.parametrize(
        ("sent", "is_read"),
        [
            (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", True),
            (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", False),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", True),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}excess", True),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n", True),
            (b"no status\r\n\r\n", True),
        ],
        ids=["used up", "not read", "kept", "excess", "bad chunk", "bad head"],
    )
    def test_after_a_response(
        self,
        make_kept: MakeKept,
        context: Any,
        bundle: str,
        sockets: list[socket.socket],
        is_over: threading.Event,
        sent: bytes,
        is_read: bool,
    ) -> None:
        def behave(connection: socket.socket) -> None:
            connection.sendall(sent)
            is_over.wait(PATIENCE)

        kept = make_kept(connection_verify=bundle)
        with RawServer(behave, context) as server:
            with suppress(ServiceResponseError):
                response = kept.send(server, stream=not is_read)
                kept.run(response.close())
            kept.run(kept.transport.close())
            assert_soon_closed(kept, sockets)
            is_over.set()

    @pytest.mark.parametrize("end", ["cancelled", "late", "closed"])
    def test_while_a_proxy_opens_a_tunnel(
        self,
        make_kept: MakeKept,
        context: Any,
        bundle: str,
        sockets: list[socket.socket],
        is_over: threading.Event,
        end: str,
    ) -> None:
        if context is not None and sys.version_info < (3, 11):
            pytest.skip("asyncio has TLS in TLS since Python 3.11")

        async def run(transport: Any, server: RawServer) -> None:
            request = HttpRequest("POST", "https://somewhere.invalid/a", content=b"{}")
            sending = asyncio.ensure_future(
                transport.send(request, deadline=time.monotonic() + (1 if end == "late" else 60))
            )
            if end != "late":
                await asyncio.to_thread(until, lambda: bool(server.requests))
            if end == "cancelled":
                sending.cancel()
            elif end == "closed":
                await transport.close()
            with pytest.raises((ServiceRequestError, asyncio.CancelledError)):
                await sending

        def hang(connection: socket.socket) -> None:
            is_over.wait(PATIENCE)

        with RawServer(hang, context) as server:
            kept = make_kept(connection_verify=bundle, proxies={"https": server.url})
            kept.run(run(kept.transport, server))
            assert_soon_closed(kept, sockets)
            is_over.set()


def test_data_on_an_idle_connection(make_kept: MakeKept, context: Any, bundle: str) -> None:
    is_idle, is_sent = threading.Event(), threading.Event()

    def twice(connection: socket.socket) -> None:
        answer(b"asked")(connection)
        assert is_idle.wait(PATIENCE)
        answer(b"unasked")(connection)
        is_sent.set()

    kept = make_kept(connection_verify=bundle)
    with RawServer(twice, context) as server:
        for _ in range(2):
            is_idle.clear()
            is_sent.clear()
            assert kept.send(server).content == b"asked"
            is_idle.set()
            assert is_sent.wait(PATIENCE)
            kept.idle(0.05)
        assert server.connections == 2


@pytest.mark.parametrize("connection_timeout", [None, 30])
def test_a_kept_connection_has_the_read_timeout_alone(
    make_kept: MakeKept, connection_timeout: float | None
) -> None:
    behaviours = [answer(b"{}"), send_and_hang(b"")]
    kept = make_kept(connection_timeout=connection_timeout)
    with RawServer(lambda peer: behaviours.pop(0)(peer)) as server:
        kept.send(server)
        began = time.monotonic()
        with pytest.raises(ServiceResponseTimeoutError):
            kept.send(server, read_timeout=0.2)
        assert time.monotonic() - began < PATIENCE / 2
        assert server.connections == 1


def test_a_body_that_is_not_read_costs_its_connection(make_kept: MakeKept) -> None:
    kept = make_kept()
    with RawServer(send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")) as server:
        for _ in range(2):
            response = kept.send(server, stream=True)
            kept.run(response.close())
        assert server.connections == 2


def test_a_connection_that_the_server_closed_is_replaced(make_kept: MakeKept) -> None:
    kept = make_kept()
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with RawServer(send_and_close(whole)) as server:
        for _ in range(2):
            assert kept.send(server).content == b"{}"
            until(lambda: not server.open_connections)
            kept.idle(0.05)
        assert server.connections == 2


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_a_request_is_sent_once(make_kept: MakeKept, method: str) -> None:
    """aiohttp would repeat a DELETE: here, the retry policy decides."""
    behaviours = [answer(b"{}"), send_and_close(b""), answer(b"{}")]
    kept = make_kept()
    with RawServer(lambda connection: behaviours.pop(0)(connection)) as server:
        request = HttpRequest(method, f"{server.url}/a")
        kept.run(kept.transport.send(request))
        with pytest.raises(ServiceResponseError):
            kept.run(kept.transport.send(request))
        assert len(server.requests) == 2


class Blackhole:
    """A behaviour that no longer answers on a connection that was idle for too long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._used_at: dict[int, float] = {}

    def __call__(self, connection: socket.socket) -> None:
        now = time.monotonic()
        used_at = self._used_at.setdefault(id(connection), now)
        if now - used_at > self._seconds:
            send_and_hang(b"")(connection)
            return
        answer(b"{}")(connection)
        self._used_at[id(connection)] = time.monotonic()


class TestIdle:
    """Load balancers and NATs drop idle connections silently."""

    def test_a_minute_is_the_most(self) -> None:
        assert 0 < _limits.IDLE_SECONDS <= 60
        assert _limits.KEEPALIVE_SECONDS + 4 * 15 < 240

    def test_an_idle_connection_is_not_used_again(
        self, make_kept: MakeKept, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_limits, "IDLE_SECONDS", 0.2)
        kept = make_kept(read_timeout=2)
        with RawServer(Blackhole(0.3)) as server:
            for _ in range(2):
                for _ in range(2):
                    assert kept.send(server).content == b"{}"
                kept.idle(0.5)
            assert server.connections >= 2

    def test_an_old_connection_is_not_used_again(
        self, make_kept: MakeKept, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_limits, "CONNECTION_SECONDS", 0.3)
        kept = make_kept()
        with RawServer(answer(b"{}")) as server:
            for _ in range(4):
                assert kept.send(server).content == b"{}"
                kept.idle(0.15)
            assert server.connections >= 2

    def test_new_addresses_are_seen_within_minutes(self) -> None:
        assert _limits.ADDRESS_SECONDS + _limits.CONNECTION_SECONDS < 10 * 60

    def test_connections_without_traffic_are_probed(
        self, make_kept: MakeKept, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        options: list[tuple[Any, ...]] = []
        # The options are set on sockets of the library below.
        real = socket.socket.setsockopt
        of_client = threading.get_ident()

        def setsockopt(self: socket.socket, *args: Any) -> None:
            if threading.get_ident() == of_client:
                options.append(args)
            real(self, *args)

        with RawServer(answer(b"{}")) as server, monkeypatch.context() as patch:
            patch.setattr(socket.socket, "setsockopt", setsockopt, raising=False)
            make_kept().send(server)
        assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options
        idle = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
        assert (socket.IPPROTO_TCP, idle, 60) in options
        assert (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15) in options
        assert (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4) in options
        assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in options


class TestClose:
    """Closing a client wakes callers that wait for a response."""

    def test_an_idle_connection_is_closed_though_its_response_is_kept(
        self, make_kept: MakeKept
    ) -> None:
        kept = make_kept()
        with RawServer(answer(b"{}")) as server:
            response = kept.send(server)  # urllib3's refers to the pool
            kept.run(kept.transport.close())
            kept.idle(0)
            until(lambda: not server.open_connections)
            assert response.content == b"{}"

    @pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
    def test_a_thread(self, context: Any, bundle: str, sent: bytes) -> None:
        transport = Urllib3Transport(connection_verify=bundle)
        with RawServer(send_and_hang(sent), context) as server:
            found: list[BaseException] = []

            def work() -> None:
                try:
                    transport.send(HttpRequest("POST", f"{server.url}/a", content=b"{}"))
                except Exception as error:  # noqa: BLE001 - looked at below
                    found.append(error)

            thread = threading.Thread(target=work)
            thread.start()
            until(lambda: bool(server.requests))
            time.sleep(0.1)
            transport.close()
            thread.join(2)
            assert not thread.is_alive()
        (error,) = found
        assert type(error) is ServiceResponseError
        assert "was closed during" in str(error)

    @pytest.mark.parametrize("length", [b"Content-Length: 9\r\n", b""])
    def test_a_thread_that_reads_a_stream(self, context: Any, bundle: str, length: bytes) -> None:
        transport = Urllib3Transport(connection_verify=bundle)
        head = b"HTTP/1.1 200 OK\r\n" + length + b"\r\n{"
        with RawServer(send_and_hang(head), context) as server:
            response = transport.send(HttpRequest("GET", server.url), stream=True)
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(next, response.iter_raw())
                time.sleep(0.05)
                transport.close()
                with pytest.raises(ServiceResponseError, match="was closed during"):
                    waiting.result(2)

    @pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
    def test_a_task(self, context: Any, bundle: str, sent: bytes) -> None:
        async def close(server: RawServer) -> None:
            transport = AiohttpTransport(connection_verify=bundle)
            request = HttpRequest("POST", f"{server.url}/a", content=b"{}")
            sending = asyncio.ensure_future(transport.send(request))
            await asyncio.to_thread(until, lambda: bool(server.requests))
            await asyncio.sleep(0.1)
            await transport.close()
            with pytest.raises(ServiceResponseError, match="was closed during"):
                await asyncio.wait_for(sending, 2)

        with RawServer(send_and_hang(sent), context) as server:
            asyncio.run(close(server))

    def test_a_task_that_reads_a_stream(self, context: Any, bundle: str) -> None:
        async def close(server: RawServer) -> None:
            transport = AiohttpTransport(connection_verify=bundle)
            response = await transport.send(HttpRequest("GET", server.url), stream=True)
            blocks = response.iter_raw()
            assert await anext(blocks) == b"{"
            waiting = asyncio.ensure_future(anext(blocks))
            await asyncio.sleep(0.05)
            await transport.close()
            with pytest.raises(ServiceResponseError, match="was closed during"):
                await asyncio.wait_for(waiting, 2)

        head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"
        with RawServer(send_and_hang(head), context) as server:
            asyncio.run(close(server))

    def test_threads_that_go_on(self) -> None:
        """Whenever it is closed, a call ends in a response or in an exception of azure-core."""
        unexpected: list[BaseException] = []
        with RawServer(answer(b"{}")) as server:
            for pause in (0, 0.001, 0.003, 0.01, 0.03):
                transport = Urllib3Transport()

                def work(transport: Urllib3Transport = transport) -> None:
                    try:
                        while True:
                            transport.send(HttpRequest("GET", f"{server.url}/a"))
                    except (ServiceRequestError, ServiceResponseError, ValueError):
                        pass
                    except Exception as error:  # noqa: BLE001 - looked at below
                        unexpected.append(error)

                threads = [threading.Thread(target=work) for _ in range(8)]
                for thread in threads:
                    thread.start()
                time.sleep(pause)
                transport.close()
                for thread in threads:
                    thread.join(PATIENCE)
                    assert not thread.is_alive()
        assert unexpected == []


class TestEventLoops:
    """An async transport belongs to one event loop at a time."""

    @staticmethod
    async def use(transport: AiohttpTransport, server: RawServer) -> bytes:
        request = HttpRequest("POST", f"{server.url}/a", content=b"{}")
        content: bytes = (await transport.send(request)).content
        return content

    # The connections of a loop that was closed under them are left to the garbage collector.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
    def test_one_after_the_other(self) -> None:
        transport = AiohttpTransport()
        with RawServer(answer(b"{}")) as server:
            for _ in range(3):
                assert asyncio.run(self.use(transport, server)) == b"{}"
            assert server.connections == 3
            asyncio.run(transport.close())
        del transport
        gc.collect()  # here, where what it finds is expected

    def test_another_live_one(self) -> None:
        transport = AiohttpTransport()
        with (
            RawServer(answer()) as server,
            closing(asyncio.new_event_loop()) as first,
            closing(asyncio.new_event_loop()) as other,
        ):
            first.run_until_complete(self.use(transport, server))
            with pytest.raises(RuntimeError, match="has connections of another event loop"):
                other.run_until_complete(self.use(transport, server))
            first.run_until_complete(self.use(transport, server))
            first.run_until_complete(transport.close())
            assert (len(server.requests), server.connections) == (2, 1)

    def test_many_at_once(self) -> None:
        """Of the loops that begin at the same time, one has the transport."""
        with RawServer(answer(b"{}")) as server:
            for _ in range(20):
                transport = AiohttpTransport()
                start, end = threading.Barrier(8), threading.Barrier(8)
                found: list[object] = []

                async def work(
                    transport: AiohttpTransport = transport,
                    start: threading.Barrier = start,
                    end: threading.Barrier = end,
                    found: list[object] = found,
                ) -> None:
                    start.wait(PATIENCE)
                    try:
                        outcome: object = await self.use(transport, server)
                    except RuntimeError as error:
                        outcome = str(error)[:10]
                    found.append(outcome)
                    end.wait(PATIENCE)
                    if outcome == b"{}":
                        await transport.close()

                threads = [threading.Thread(target=lambda: asyncio.run(work())) for _ in range(8)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(PATIENCE)
                assert sorted(map(str, found)) == sorted(["b'{}'"] + ["The client"] * 7)


@pytest.mark.parametrize(
    "behave",
    [send_and_hang(b""), send_and_hang(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")],
    ids=["without an answer", "in the body"],
)
def test_a_task_that_is_cancelled_closes_its_connection(
    behave: Behaviour, context: Any, bundle: str
) -> None:
    async def cancel(server: RawServer) -> None:
        async with AiohttpTransport(connection_verify=bundle) as transport:
            request = HttpRequest("POST", f"{server.url}/a", content=b"{}")
            sending = asyncio.ensure_future(transport.send(request))
            await asyncio.to_thread(until, lambda: bool(server.requests))
            await asyncio.sleep(0.05)  # for what there is of the answer to arrive
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            await asyncio.to_thread(until, lambda: not server.open_connections)

    with RawServer(behave, context) as server:
        asyncio.run(cancel(server))


@pytest.mark.filterwarnings("ignore:Sending a large body")  # by aiohttp
@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["malformed", "whole"],
)
def test_a_request_that_is_answered_early_is_not_sent_to_its_end(sent: bytes) -> None:
    body = b"1" * 2**24  # more than the buffers of the system take
    received, is_answered = bytearray(), threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.settimeout(PATIENCE)
        with connection, suppress(ConnectionResetError):
            received.extend(connection.recv(1024))
            connection.sendall(sent)
            assert is_answered.wait(PATIENCE)
            while block := connection.recv(2**20):
                received.extend(block)

    async def post(url: str, serving: "Future[None]") -> None:
        async with AiohttpTransport() as transport:
            with suppress(ServiceResponseError):
                await transport.send(HttpRequest("POST", url, content=body))
            is_answered.set()
            await asyncio.wrap_future(serving)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        listener.settimeout(PATIENCE)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        asyncio.run(post(url, pool.submit(serve, listener)))
    assert len(received) < len(body)
