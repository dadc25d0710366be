"""The HTTP server: aiohttp's, with every response in the service's form."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import StreamReader, web

from ..contract import errors
from .responses import ResponseWriter

# Room for an id of 2 KB whose every character takes nine bytes, percent-encoded.
_LINE_LIMIT = 64 * 1024

_log = logging.getLogger("acs_identity_emulator")


class HttpServer(web.Server):
    """An aiohttp server that answers errors in the service's form, and closes all connections."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(
            handler,
            request_factory=None,
            access_log=None,
            auto_decompress=False,  # the content hash is over the bytes that were sent
            max_line_size=_LINE_LIMIT,
            max_field_size=_LINE_LIMIT,
        )
        self._clock = clock
        self._transports: dict[web.RequestHandler, asyncio.Transport] = {}

    @property
    def connection_count(self) -> int:
        """How many clients are connected."""
        return len(self._transports)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._transports[handler] = transport

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        super().connection_lost(handler, exc)
        self._transports.pop(handler, None)

    async def shutdown(self, timeout: float | None = None) -> None:
        await super().shutdown(timeout)
        # TLS would wait for the goodbye of a client that is gone, for longer than the loop runs.
        for transport in self._transports.values():
            transport.abort()

    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, self._clock, loop=self._loop, **self._kwargs)


class _Protocol(web.RequestHandler):
    def __init__(
        self,
        server: HttpServer,
        clock: Callable[[], float],
        *,
        loop: asyncio.AbstractEventLoop,
        **options: Any,
    ) -> None:
        super().__init__(server, loop=loop, **options)
        self._clock = clock
        self._last_body: StreamReader | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._messages:
            return
        body, self._last_body = self._last_body, self._messages[-1][1]
        if body is None or body is self._last_body or body.is_eof():
            return
        # What follows a body without an end is no request but aiohttp's error about that body, and
        # the body is told nothing: whoever reads it would wait for ever.
        self._messages.pop()
        body.set_exception(web.RequestPayloadError("the body is malformed"))
        body.feed_eof()
        self.close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What aiohttp calls for a request it cannot parse, and for one that broke the handler."""
        if request.writer.output_size > 0:
            raise ConnectionError("the response has begun, another cannot be sent")
        if status >= 500:
            _log.error("the request handler failed", exc_info=exc)
            error = errors.emulator_failed()
        else:
            error = errors.not_http(status)
        response = ResponseWriter(request, self._clock()).error(error, None, 0)
        response.force_close()
        _log.info("- - %d 0ms %s", error.status, error.code)
        return response
