"""The request path: read, authenticate, route, answer, and one log line for each."""

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from typing import Any

from aiohttp import StreamReader, web

from . import errors
from .authentication import Authenticator, Caller, WireRequest, may_call
from .calls import Answer, Call
from .clock import ServiceClock
from .errors import ServiceError
from .faults import Fault, FaultQueue
from .misbehaviour import misbehave
from .own_paths import PREFIX, OwnPaths
from .responses import Response, ResponseWriter
from .routing import Route, find_route, operation_at, origin_form
from .service import Service

BODY_LIMIT = 1024 * 1024  # bytes
# Room for an id of 2 KB whose every character takes nine bytes, percent-encoded.
_LINE_LIMIT = 64 * 1024

_FIRST_SEGMENT = re.compile(r"/[A-Za-z]{0,24}(?=/|$)")

_log = logging.getLogger("acs_identity_emulator")


class Application:
    """Handles every request that arrives."""

    def __init__(
        self,
        service: Service,
        authenticators: Sequence[Authenticator],
        own_paths: OwnPaths,
        faults: FaultQueue,
        clock: ServiceClock,
    ) -> None:
        self._service = service
        self._authenticators = authenticators
        self._own_paths = own_paths
        self._faults = faults
        self._clock = clock

    def server(self) -> web.Server:
        """The aiohttp server that hands its requests to this application."""
        return _Server(
            self._handle,
            request_factory=None,
            access_log=None,
            auto_decompress=False,  # the content hash is over the bytes that were sent
            max_line_size=_LINE_LIMIT,
            max_field_size=_LINE_LIMIT,
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        started = time.perf_counter()
        try:
            wire = await _read(request)
            fault = self._fault_for(wire)
            if fault is not None:
                _log.info(
                    "%s %s: fault %s", request.method, _beginning(wire.target), fault.kind.value
                )
                return await misbehave(
                    fault, request, lambda: self._serve(request, wire, started), self._clock
                )
        except ServiceError as error:
            milliseconds = _milliseconds_since(started)
            _log_request(request, None, error.status, milliseconds, error.code)
            return ResponseWriter(request, self._clock()).error(error, None, milliseconds)
        return self._serve(request, wire, started)

    def _fault_for(self, wire: WireRequest) -> Fault | None:
        if not self._faults:
            return None
        operation = operation_at(wire.method, wire.target)
        return None if operation is None else self._faults.take(operation)

    def _serve(self, request: web.BaseRequest, wire: WireRequest, started: float) -> Response:
        """The response to a request that has been read.

        :param started: when it arrived, by `time.perf_counter`.
        """
        writer = ResponseWriter(request, self._clock())
        route: Route | None = None
        try:
            if wire.target.startswith(PREFIX):
                answer = self._own_paths.answer(wire)
            else:
                caller = self._authenticate(wire)
                origin = f"{request.scheme}://{_as_text(wire.headers.get('Host', ''))}"
                route = find_route(wire.method, wire.target, origin)
                if not may_call(caller, route.operation):
                    raise errors.denied()
                answer = self._answer(route, wire.body, caller)
        except ServiceError as error:
            milliseconds = _milliseconds_since(started)
            _log_request(request, route, error.status, milliseconds, error.code)
            return writer.error(error, route and route.supported_versions, milliseconds)
        milliseconds = _milliseconds_since(started)
        _log_request(request, route, answer.status, milliseconds, "")
        return writer.success(answer, route and route.supported_versions, milliseconds)

    def _authenticate(self, wire: WireRequest) -> Caller:
        """:raises ServiceError: nobody vouches for the request."""
        for authenticator in self._authenticators:
            verdict = authenticator.authenticate(wire)
            if isinstance(verdict, Caller):
                return verdict
            if verdict is not None:
                raise errors.denied(verdict.reason)
        raise errors.denied()

    def _answer(self, route: Route, body: bytes, caller: Caller) -> Answer:
        call = Call(route.operation, route.version, route.names, body, caller)
        try:
            return self._service.answer(call)
        except ServiceError:
            raise
        except Exception:  # noqa: BLE001 - nothing a client sends may kill the service
            _log.exception("%s failed", route.operation.value)
            raise ServiceError(500, "InternalServerError", "The emulator has failed.") from None


async def _read(request: web.BaseRequest) -> WireRequest:
    """The request as sent.

    :raises ServiceError: the body is too large, or not what its headers say.
    """
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    content = request.content
    try:
        # A small body is there together with its headers, nothing has to be waited for.
        body = content.read_nowait() if content.is_eof() else await _read_body(content)
    except web.RequestPayloadError:
        raise errors.not_http(400) from None
    if len(body) > BODY_LIMIT:
        raise errors.body_too_large(BODY_LIMIT)
    target = origin_form(request.raw_path)
    return WireRequest(request.method, target, request.headers, body, request.secure)


async def _read_body(content: StreamReader) -> bytes:
    """The body, or more of it than is allowed."""
    body = bytearray()
    while len(body) <= BODY_LIMIT and (chunk := await content.readany()):
        body += chunk
    return bytes(body)


def _as_text(value: str) -> str:
    """A header value with what is not UTF-8 in it replaced, so that an error may quote it."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _milliseconds_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _log_request(
    request: web.BaseRequest, route: Route | None, status: int, milliseconds: int, code: str
) -> None:
    """Only what cannot hold a secret is written: no header, no body, and little of the path."""
    if not _log.isEnabledFor(logging.INFO):
        return
    if route is None:
        what = _beginning(request.raw_path)
    else:
        what = f"{route.operation.value} {route.version}"
    _log.info("%s %s %d %dms %s", request.method, what, status, milliseconds, code or "-")


def _beginning(target: str) -> str:
    """The first segment of a path that no operation was found for, if it is a plain word."""
    path = target.partition("?")[0]
    match = _FIRST_SEGMENT.match(path)
    shown = match[0] if match else ""
    return shown if shown == path else f"{shown}/..."


class _Server(web.Server):
    """An aiohttp server whose own errors are in the service's form, and that closes it all."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._transports: dict[web.RequestHandler, asyncio.Transport] = {}

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
        return _Protocol(self, loop=self._loop, **self._kwargs)


class _Protocol(web.RequestHandler):
    __slots__ = ()

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
            error = ServiceError(status, "InternalServerError", "The emulator has failed.")
        else:
            error = errors.not_http(status)
        response = ResponseWriter(request, time.time()).error(error, None, 0)
        response.force_close()
        _log.info("- - %d 0ms %s", status, error.code)
        return response
