"""The path of a request: fault, authentication, route, answer, one log line."""

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..authentication.authenticators import (
    Authenticator,
    Caller,
    WireRequest,
    why_not_allowed,
    why_not_authenticated,
)
from ..contract import errors
from ..contract.errors import ServiceError
from ..contract.faults import Fault, FaultQueue, Kind
from ..contract.reasons import shown_path
from ..control.entra_paths import EntraPaths
from ..control.own_paths import OwnPaths
from ..operations.calls import Answer, Call, Content
from ..operations.service import Service
from ..state.clock import ServiceClock
from ..state.journal import Journal
from ..state.store import StoreError
from .journalling import entry_of
from .misbehaviour import misbehave
from .responses import Reply, Response, ResponseWriter
from .routing import Route, find_route, operation_at, origin_form

_log = logging.getLogger("acs_identity_emulator")


class Application:
    """Answers every request that arrives."""

    def __init__(
        self,
        service: Service,
        authenticators: Sequence[Authenticator],
        own_paths: OwnPaths,
        entra_paths: EntraPaths,
        faults: FaultQueue,
        journal: Journal,
        clock: ServiceClock,
    ) -> None:
        self._service = service
        self._authenticators = authenticators
        self._own_paths = own_paths
        self._entra_paths = entra_paths
        self._faults = faults
        self._journal = journal
        self._clock = clock
        self._signing = ThreadPoolExecutor(1, "acs-identity-emulator-signing")
        self.connection_count: Callable[[], int] = lambda: 0
        """How many clients are connected; the listener sets it."""

    def close(self) -> None:
        self._signing.shutdown(wait=False, cancel_futures=True)

    def handle(self, request: WireRequest) -> Reply | Awaitable[Reply]:
        """The response, or an awaitable of it if the response has to wait."""
        started = time.perf_counter()
        if not request.target.startswith("/"):
            request = request._replace(target=origin_form(request.target))
        if not self._faults:
            return self._serve(request, started)
        due = self._fault_for(request)
        if due is None:
            return self._serve(request, started)
        return self._misbehave(request, *due, started)

    def reject(self, error: ServiceError) -> Response:
        """The response to invalid HTTP."""
        _log.info("- - %d 0ms %s", error.status, error.code)
        return ResponseWriter(None, self._clock()).error(error, None, 0)

    def _fault_for(self, request: WireRequest) -> tuple[Fault, str] | None:
        """The fault that waits for the request, and the versions that its resource supports."""
        found = operation_at(request.method, request.target)
        if found is None:
            return None
        operation, versions = found
        fault = self._faults.take(operation)
        return None if fault is None else (fault, versions)

    async def _misbehave(
        self, request: WireRequest, fault: Fault, versions: str, started: float
    ) -> Reply:
        _log.info("%s %s: fault %s", request.method, _shown(request.target), fault.kind.value)
        unserved = {Kind.HTML: Answer(503), Kind.RESET: None}
        if fault.kind in unserved:
            self._record(request, unserved[fault.kind])
        try:
            return await misbehave(
                fault, request, lambda: self._serve(request, started), self._clock
            )
        except ServiceError as error:
            milliseconds = _milliseconds_since(started)
            self._record(request, error)
            _log_request(request, None, error, milliseconds)
            return ResponseWriter(request, self._clock()).error(error, versions, milliseconds)

    def _serve(self, request: WireRequest, started: float) -> Response | Awaitable[Response]:
        """All but a signature is done at once.

        :param started: when the request arrived, by `time.perf_counter`.
        """
        writer = ResponseWriter(request, self._clock())
        route: Route | None = None
        outcome: Answer | ServiceError
        is_own = self._own_paths.has(request)
        try:
            if is_own:
                outcome = self._own_paths.answer(request)
            elif (announced := _announced(request)) is not None:
                milliseconds = _milliseconds_since(started)
                _log_request(request, None, Answer(204), milliseconds)
                return writer.preflight(*announced, milliseconds)
            elif self._entra_paths.has(request.target):
                outcome = self._entra_paths.answer(request)
            else:
                caller = self._authenticate(request)
                origin = request.origin
                route = find_route(request.method, request.target, origin)
                not_allowed = why_not_allowed(caller, route.operation)
                if not_allowed is not None:
                    raise errors.denied(not_allowed)
                operation, version, path_parameters, _ = route
                url = origin + request.target
                outcome = self._service.answer(
                    Call(operation, version, path_parameters, request.body, caller, url)
                )
                if callable(outcome.payload):
                    if self.connection_count() > 1:
                        return self._respond_signed(request, writer, route, outcome, started)
                    # With one client nobody else waits: save the hand-over.
                    outcome = outcome._replace(payload=outcome.payload())
        except ServiceError as error:
            outcome = error
        except StoreError as error:
            _log.error("%s", error)
            outcome = errors.unavailable()
        except Exception as error:  # noqa: BLE001 - no request may stop the service
            outcome = _failure(error)
        if not is_own:
            self._record(request, outcome)
        return self._respond(request, writer, route, outcome, started)

    async def _respond_signed(
        self,
        request: WireRequest,
        writer: ResponseWriter,
        route: Route | None,
        answer: Answer,
        started: float,
    ) -> Response:
        """Signs in a thread, which needs no GIL for most of it."""
        outcome: Answer | ServiceError
        try:
            payload = await asyncio.get_running_loop().run_in_executor(
                self._signing, _signed, answer
            )
            outcome = answer._replace(payload=payload)
        except Exception as error:  # noqa: BLE001 - no request may stop the service
            outcome = _failure(error)
        self._record(request, outcome)
        return self._respond(request, writer, route, outcome, started)

    def _respond(
        self,
        request: WireRequest,
        writer: ResponseWriter,
        route: Route | None,
        outcome: Answer | ServiceError,
        started: float,
    ) -> Response:
        versions = None if route is None else route.supported_versions
        milliseconds = _milliseconds_since(started)
        _log_request(request, route, outcome, milliseconds)
        if isinstance(outcome, ServiceError):
            return writer.error(outcome, versions, milliseconds)
        payload = outcome.payload
        assert not callable(payload)  # noqa: S101 - signed by the callers
        return writer.success(outcome.status, payload, versions, milliseconds)

    def _record(self, request: WireRequest, outcome: Answer | ServiceError | None) -> None:
        """Adds a call to the journal; no outcome if the connection is reset."""
        self._journal.record(entry_of(self._clock(), request, outcome))

    def _authenticate(self, request: WireRequest) -> Caller:
        """:raises ServiceError: If no authenticator accepts the request."""
        for authenticator in self._authenticators:
            verdict = authenticator.authenticate(request)
            if isinstance(verdict, Caller):
                return verdict
            if verdict is not None:
                raise errors.denied(verdict.reason, verdict.message)
        raise errors.denied(why_not_authenticated(request))


def _signed(answer: Answer) -> Content | None:
    return answer.payload() if callable(answer.payload) else answer.payload


def _announced(request: WireRequest) -> tuple[str, str] | None:
    """Method and headers of the request that a browser announces; None if this is another one."""
    if request.method != "OPTIONS" or "Origin" not in request.headers:
        return None
    method = request.headers.get("Access-Control-Request-Method")
    if method is None:
        return None
    return method, request.headers.get("Access-Control-Request-Headers", "")


def _failure(error: Exception) -> ServiceError:
    """Logs where it happened; the message of the exception may hold a secret."""
    places = traceback.extract_tb(error.__traceback__)
    way = " > ".join(f"{place.name}:{place.lineno}" for place in places)
    _log.error("the emulator failed: %s at %s", type(error).__name__, way)
    return errors.emulator_failed()


def _milliseconds_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _log_request(
    request: WireRequest, route: Route | None, outcome: Answer | ServiceError, milliseconds: int
) -> None:
    """Logs only what cannot hold a secret: no header, no body, and of a path words and ids."""
    if not _log.isEnabledFor(logging.INFO):
        return
    what = _shown(request.target)
    if route is not None:
        what = f"{route.operation.value} {route.version}"
    error = outcome if isinstance(outcome, ServiceError) else None
    _log.info(
        "%s %s %d %dms %s",
        request.method,
        what,
        outcome.status,
        milliseconds,
        _shown_outcome(error),
        extra={"fields": _fields(request, route, outcome, milliseconds)},
    )
    if error is not None and error.reason is not None and error.reason.details is not None:
        _log.debug("%s", error.reason.details)


def _fields(
    request: WireRequest, route: Route | None, outcome: Answer | ServiceError, milliseconds: int
) -> dict[str, object]:
    """The same for a log of JSON."""
    fields: dict[str, object] = {"method": request.method, "status": outcome.status}
    fields["milliseconds"] = milliseconds
    if route is not None:
        fields["operation"] = route.operation.value
        fields["api_version"] = route.version
    if isinstance(outcome, ServiceError):
        fields["code"] = outcome.code
        if outcome.reason is not None:
            fields["reason"] = outcome.reason.code.value
    return fields


def _shown_outcome(error: ServiceError | None) -> str:
    if error is None:
        return "-"
    return error.code if error.reason is None else f"{error.code} ({error.reason})"


def _shown(target: str) -> str:
    return shown_path(target.partition("?")[0])
