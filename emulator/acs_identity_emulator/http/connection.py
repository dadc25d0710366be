"""One client connection: bytes in, requests to the application in order, responses out.

llhttp (by httptools) parses; what is left is the order of pipelined requests, flow control, and the
ends of a connection. Neither a client that sends without reading nor one that stops half-way can
make it keep more than `_WAITING_LIMIT` requests, one head and one body.
"""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Awaitable
from typing import NamedTuple, Protocol

import httptools
from multidict import CIMultiDict, CIMultiDictProxy

from ..authentication.authenticators import WireRequest
from ..contract import errors
from ..contract.errors import ServiceError
from .responses import BrokenOff, Reply, Response

BODY_LIMIT = 1024 * 1024  # bytes
# Room for an id of 2 KB whose every character takes nine bytes, percent-encoded.
_HEAD_LIMIT = 64 * 1024  # bytes
_WAITING_LIMIT = 64  # pipelined requests; reading pauses above it
_LINGER = 2.0  # seconds in which a client may read the error that ends its connection


class RequestHandler(Protocol):
    """The application that serves the requests. Neither method raises."""

    def handle(self, request: WireRequest) -> Reply | Awaitable[Reply]: ...

    def reject(self, error: ServiceError) -> Response:
        """The response to invalid HTTP."""
        ...


_REPLIES = (Response, BrokenOff)  # a union made for each request would cost


class _Request(NamedTuple):
    """A request that waits for its turn, or an error if it was invalid."""

    wire: WireRequest | ServiceError
    is_http_1_1: bool
    keeps_alive: bool


class Connection(asyncio.Protocol):
    """Serves one client."""

    def __init__(self, application: RequestHandler, connections: "set[Connection]") -> None:
        """:param connections: the open ones, which this one enters and leaves."""
        self._application = application
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._is_secure = False
        self._waiting: deque[_Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._is_writable = True
        self._accepts_requests = True  # False after the last one that the connection will serve
        self._has_ended = False  # the client has sent the last of its bytes
        self._lingering: asyncio.TimerHandle | None = None
        self._continue_is_due = False
        self.last_active = self._loop.time()
        self.closed = self._loop.create_future()
        # The request that is being received
        self._in_message = False
        self._in_head = False
        self._head_size = 0
        self._head_grew = False
        self._unfinished = 0
        self._url = b""
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._body = bytearray()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream, as was asked for
        self._transport = transport
        self._is_secure = transport.get_extra_info("sslcontext") is not None
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self.closed.set_result(None)
        self._transport = None
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
        if self._lingering is not None:
            self._lingering.cancel()

    def data_received(self, data: bytes) -> None:
        self.last_active = self._loop.time()
        self._feed(data)
        self._serve_waiting()

    def eof_received(self) -> bool:
        self._has_ended = True
        if self._in_message:
            self._refuse(errors.not_http(400))
        self._serve_waiting()
        # The client may still read (`shutdown(SHUT_WR)`), except over TLS, which asyncio closes.
        return self.is_serving and not self._is_secure

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self._is_writable = True
        self._serve_waiting()

    # What the listener asks

    @property
    def is_serving(self) -> bool:
        """Whether the client waits for a response."""
        return self._task is not None or bool(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is owed to the client."""
        return not self.is_serving and not self._in_message

    def is_silent(self, since: float) -> bool:
        """Whether the client has sent nothing since then, and does not wait for a response."""
        return self.last_active < since and not self.is_serving

    def finish(self) -> None:
        """Serves what has been received, then closes."""
        self._accepts_requests = False
        transport = self._transport
        if transport is None or self.is_serving:
            return
        if transport.get_write_buffer_size():
            transport.close()
        else:
            transport.abort()  # over TLS `close` waits for an answer

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # What httptools calls

    def on_message_begin(self) -> None:
        self._in_message = self._in_head = self._head_grew = True
        self._head_size = self._unfinished = 0
        self._url, self._headers, self._body = b"", CIMultiDict(), bytearray()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._head_grew = True
        self._head_size += len(url)
        if self._head_size > _HEAD_LIMIT:
            self._refuse(errors.not_http(400))

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:  # a trailer
            return
        self._unfinished = 0
        self._head_grew = True
        self._head_size += len(name) + len(value)
        if self._head_size > _HEAD_LIMIT:
            self._refuse(errors.not_http(400))
        text = value.rstrip(b" \t").decode("utf-8", "surrogateescape")
        self._headers.add(name.decode("ascii"), text)

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._headers.get("Expect", "").lower() == "100-continue":
            self._continue_is_due = True

    def on_body(self, body: bytes) -> None:
        if len(self._body) > BODY_LIMIT:
            return
        self._body += body
        if len(self._body) > BODY_LIMIT:
            self._refuse(errors.body_too_large(BODY_LIMIT))

    def on_message_complete(self) -> None:
        self._in_message = self._continue_is_due = False
        if not self._accepts_requests:
            return
        if self._parser.should_upgrade() and self._parser.get_method() != b"CONNECT":
            return  # `_without_upgrade` parses it again
        wire = WireRequest(
            self._parser.get_method().decode("ascii"),
            _text(self._url),
            CIMultiDictProxy(self._headers),
            bytes(self._body),
            self._is_secure,
        )
        keeps_alive = self._parser.should_keep_alive() and not self._parser.should_upgrade()
        self._accepts_requests = keeps_alive
        self._waiting.append(_Request(wire, self._is_http_1_1, keeps_alive))

    # Receiving

    @property
    def _is_http_1_1(self) -> bool:
        return self._parser.get_http_version() not in ("0.9", "1.0")

    def _feed(self, data: bytes) -> None:
        self._head_grew = False
        left = data
        while left and self._accepts_requests:
            try:
                self._parser.feed_data(left)
                left = b""
            except httptools.HttpParserUpgrade as upgrade:
                left = self._without_upgrade() + left[upgrade.args[0] :]
            except httptools.HttpParserError:
                self._refuse(errors.not_http(400))
        if self._in_head and not self._head_grew:  # a field that has not ended yet
            self._unfinished += len(data)
            if self._unfinished > _HEAD_LIMIT:
                self._refuse(errors.not_http(400))

    def _without_upgrade(self) -> bytes:
        """The head of the request that was parsed last, but for the offer of another protocol.

        A server may ignore the offer (RFC 9110, 7.8), but llhttp takes what follows for the other
        protocol, also the body of the request. Java's client makes the offer with every request.
        """
        lines = [
            f"{name}: {value}\r\n"
            for name, value in self._headers.items()
            if name.lower() != "upgrade"
        ]
        method = self._parser.get_method().decode("ascii")
        version = self._parser.get_http_version()
        head = f"{method} {_text(self._url)} HTTP/{version}\r\n{''.join(lines)}\r\n"
        self._parser = httptools.HttpRequestParser(self)
        return head.encode("utf-8", "surrogateescape")

    def _refuse(self, error: ServiceError) -> None:
        """Answers what is being received with an error, and receives nothing more."""
        if self._accepts_requests:
            self._accepts_requests = self._in_message = False
            self._waiting.append(_Request(error, True, False))

    # Serving

    def _serve_waiting(self) -> None:
        while self._waiting and self._task is None and self._is_writable:
            request = self._waiting.popleft()
            if isinstance(request.wire, ServiceError):
                self._send(self._application.reject(request.wire), request)
                continue
            reply = self._application.handle(request.wire)
            if isinstance(reply, _REPLIES):
                self._send(reply, request)
            else:
                self._task = self._loop.create_task(self._send_later(reply, request))
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._continue_is_due and not self.is_serving:
            self._continue_is_due = False
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(self._waiting) > _WAITING_LIMIT or not self._is_writable:
            transport.pause_reading()
        else:
            transport.resume_reading()
        if self._has_ended and not self.is_serving:
            transport.close()

    async def _send_later(self, reply: Awaitable[Reply], request: _Request) -> None:
        try:
            settled = await reply
        finally:
            self._task = None
        self._send(settled, request)
        self._serve_waiting()

    def _send(self, reply: Reply, request: _Request) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if isinstance(reply, BrokenOff):
            transport.write(reply.sent)
            _reset(transport)
            return
        is_refusal = isinstance(request.wire, ServiceError)
        method = "" if isinstance(request.wire, ServiceError) else request.wire.method
        closes = not (request.keeps_alive and (self._accepts_requests or self._waiting))
        transport.write(reply.encoded(method, is_http_1_1=request.is_http_1_1, closes=closes))
        if closes and is_refusal:
            self._linger()
        elif closes:
            self._close()

    # Ending

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _linger(self) -> None:
        """Closes after the client has read the response.

        A socket that is closed with unread bytes in it sends RST, which makes the client lose the
        response. So the rest is read and dropped.
        """
        transport = self._transport
        if transport is None:
            return
        with contextlib.suppress(OSError):
            if transport.can_write_eof():
                transport.write_eof()
        self._lingering = self._loop.call_later(_LINGER, self._close)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _reset(transport: asyncio.Transport) -> None:
    """Ends the connection with RST rather than FIN, as if a machine in between had failed."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
