"""The request path: read, authenticate, route, answer, and one log line for each."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp import StreamReader, web
from aiohttp.http import HttpProcessingError

from ..authentication.authenticators import (
    Authenticator,
    Caller,
    WireRequest,
    why_not_allowed,
    why_not_authenticated,
)
from ..contract import errors
from ..contract.errors import ServiceError
from ..contract.faults import Fault, FaultQueue
from ..control.own_paths import PREFIX, OwnPaths
from ..operations.calls import Answer, Call, Payload
from ..operations.service import Service
from ..state.clock import ServiceClock
from .http_server import HttpServer
from .misbehaviour import misbehave
from .responses import Response, ResponseWriter
from .routing import Route, find_route, operation_at, origin_form

BODY_LIMIT = 1024 * 1024  # bytes

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
        self._signing = ThreadPoolExecutor(1, "acs-identity-emulator-signing")
        self._server: HttpServer | None = None

    def server(self) -> HttpServer:
        """The server that hands its requests to this application."""
        self._server = HttpServer(self._handle, self._clock)
        return self._server

    def close(self) -> None:
        self._signing.shutdown()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        started = time.perf_counter()
        versions: str | None = None
        try:
            wire = await _read(request)
            due = self._fault_for(wire)
            if due is not None:
                fault, versions = due
                _log.info(
                    "%s %s: fault %s", request.method, _beginning(wire.target), fault.kind.value
                )
                return await misbehave(
                    fault, request, lambda: self._serve(request, wire, started), self._clock
                )
        except ServiceError as error:
            milliseconds = _milliseconds_since(started)
            _log_request(request, None, error.status, milliseconds, error)
            return ResponseWriter(request, self._clock()).error(error, versions, milliseconds)
        return await self._serve(request, wire, started)

    def _fault_for(self, wire: WireRequest) -> tuple[Fault, str] | None:
        """The fault that waits for the request, and the versions that its resource supports."""
        found = operation_at(wire.method, wire.target) if self._faults else None
        if found is None:
            return None
        operation, versions = found
        fault = self._faults.take(operation)
        return None if fault is None else (fault, versions)

    def _serve(
        self, request: web.BaseRequest, wire: WireRequest, started: float
    ) -> Coroutine[None, None, Response]:
        """The response to a request that has been read; all but a signature is done at once.

        :param started: when it arrived, by `time.perf_counter`.
        """
        writer = ResponseWriter(request, self._clock())
        route: Route | None = None
        outcome: Answer | ServiceError
        try:
            if wire.target.startswith(PREFIX):
                outcome = self._own_paths.answer(wire)
            else:
                caller = self._authenticate(wire)
                origin = f"{request.scheme}://{_as_text(wire.headers.get('Host', ''))}"
                route = find_route(wire.method, wire.target, origin)
                not_allowed = why_not_allowed(caller, route.operation)
                if not_allowed is not None:
                    raise errors.denied(not_allowed)
                outcome = self._answer(route, wire.body, caller)
        except ServiceError as error:
            outcome = error
        return self._respond(request, writer, route, outcome, started)

    async def _respond(
        self,
        request: web.BaseRequest,
        writer: ResponseWriter,
        route: Route | None,
        outcome: Answer | ServiceError,
        started: float,
    ) -> Response:
        versions = None if route is None else route.supported_versions
        if isinstance(outcome, ServiceError):
            milliseconds = _milliseconds_since(started)
            _log_request(request, route, outcome.status, milliseconds, outcome)
            return writer.error(outcome, versions, milliseconds)
        payload = outcome.payload
        if callable(payload):
            payload = await self._signed(payload)
        milliseconds = _milliseconds_since(started)
        _log_request(request, route, outcome.status, milliseconds, None)
        return writer.success(outcome.status, payload, versions, milliseconds)

    async def _signed(self, payload: Callable[[], Payload]) -> Payload:
        """The payload with its token signed, by a thread that needs no GIL for most of it."""
        if self._server is not None and self._server.connection_count == 1:
            return payload()  # nobody else could be served meanwhile: save the hand-over
        return await asyncio.get_running_loop().run_in_executor(self._signing, payload)

    def _authenticate(self, wire: WireRequest) -> Caller:
        """:raises ServiceError: If no authenticator accepts the request."""
        for authenticator in self._authenticators:
            verdict = authenticator.authenticate(wire)
            if isinstance(verdict, Caller):
                return verdict
            if verdict is not None:
                raise errors.denied(verdict.reason, verdict.message)
        raise errors.denied(why_not_authenticated(wire))

    def _answer(self, route: Route, body: bytes, caller: Caller) -> Answer:
        call = Call(route.operation, route.version, route.path_parameters, body, caller)
        try:
            return self._service.answer(call)
        except ServiceError:
            raise
        except Exception:  # noqa: BLE001 - nothing a client sends may kill the service
            _log.exception("%s failed", route.operation.value)
            raise errors.emulator_failed() from None


async def _read(request: web.BaseRequest) -> WireRequest:
    """The request as sent.

    :raises ServiceError: the body is too large, or not what its headers say, or ends early.
    """
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    content = request.content
    try:
        # A small body is there together with its headers, nothing has to be waited for.
        body = content.read_nowait() if content.is_eof() else await _read_body(content)
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
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
    request: web.BaseRequest,
    route: Route | None,
    status: int,
    milliseconds: int,
    error: ServiceError | None,
) -> None:
    """Writes only what cannot hold a secret: no header, no body, and of a path words and ids."""
    if not _log.isEnabledFor(logging.INFO):
        return
    if route is None:
        what = _beginning(request.raw_path)
    else:
        what = f"{route.operation.value} {route.version}"
    _log.info("%s %s %d %dms %s", request.method, what, status, milliseconds, _shown_outcome(error))
    if error is not None and error.reason is not None and error.reason.details is not None:
        _log.debug("%s", error.reason.details)


def _shown_outcome(error: ServiceError | None) -> str:
    if error is None:
        return "-"
    return error.code if error.reason is None else f"{error.code} ({error.reason})"


def _beginning(target: str) -> str:
    """The first segment of a path that no operation was found for, if it is a plain word."""
    path = target.partition("?")[0]
    match = _FIRST_SEGMENT.match(path)
    shown = match[0] if match else ""
    return shown if shown == path else f"{shown}/..."
