"""Runs a cell, and says which rules its outcome breaks."""

import asyncio
import gc
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any, NamedTuple

import trustme
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from either_client import KEY, ClientFactory, EitherClient
from faults import rules
from faults.cells import OPERATIONS, Cell, Transport
from faults.endings import Ending
from faults.scripts import raw
from faults.server import FaultServer
from faults.shown import ENTRA_TOKEN, PASSWORD, Shown
from faults.table import Fault
from transports.clients import close_session, new_session
from transports.raw_server import send

_SHORT, _LONG = 0.5, 15.0
"""The connection and read timeouts in seconds: where they end the call, and elsewhere."""
_TIMED = {Ending.NO_CONNECTION_IN_TIME, Ending.NO_RESPONSE_IN_TIME}
_PATIENCE = 10.0


class Outcome(NamedTuple):
    """What became of a call.

    :ivar ended: The class of the exception, or ``a result``.
    :ivar seconds: How long it took.
    :ivar attempts: How often the client sent the request.
    :ivar left_open: What was still open after the client was closed.
    :ivar complaints: The rules that were broken.
    """

    ended: str
    seconds: float
    attempts: int
    left_open: str
    complaints: tuple[str, ...]


class Place:
    """What the cells of a process share: certificates, an event loop, a full queue.

    :param str folder: Where to write the certificate authority.
    """

    def __init__(self, folder: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.unhandled: list[str] = []
        self.loop.set_exception_handler(
            lambda loop, context: self.unhandled.append(str(context["message"]))
        )
        authority = trustme.CA()
        self.bundle = f"{folder}/ca.pem"
        authority.cert_pem.write_to_path(self.bundle)
        self._certificates = {
            "trusted": authority.issue_cert("localhost"),
            "unknown": trustme.CA().issue_cert("localhost"),
            "another": authority.issue_cert("another.invalid"),
            "expired": authority.issue_cert("localhost", not_after=datetime(2020, 1, 1)),
        }

    def close(self) -> None:
        """Closes the event loop."""
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def context(self, certificate: str) -> ssl.SSLContext:
        """A TLS context for a server."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._certificates[certificate].configure_cert(context)
        return context


@contextmanager
def _full_queue() -> Iterator[int]:
    """A port whose queue is full: the kernel answers no further SYN."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


class _EntraCredential:
    """Has a token, and does not say it."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(ENTRA_TOKEN, int(time.time()) + 3600)


class _AsyncEntraCredential:
    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(ENTRA_TOKEN, int(time.time()) + 3600)


def _credential(transport: Transport) -> Any:
    if not transport.is_secure:
        return KEY
    return _EntraCredential() if transport.flavour == "sync" else _AsyncEntraCredential()


def _server(fault: Fault, transport: Transport, place: Place) -> FaultServer:
    context = None
    if transport.is_secure or (fault.place == "tls" and not fault.greets):
        context = place.context(fault.certificate)
    return FaultServer(fault.script or raw(send(b"")), context, greets=fault.greets)


def _client(
    transport: Transport, place: Place, endpoint: str, proxy: str, options: dict[str, Any]
) -> tuple[EitherClient, Callable[[], None]]:
    """A client, and what closes its session."""
    factory = ClientFactory(transport.flavour, place.loop)
    session = None
    if transport.has_proxy:
        options = {**options, "proxies": {"http": proxy, "https": proxy}}
    if transport.kind == "session":
        session = new_session(transport.flavour, place.loop)
        options = {**options, "session": session}
    elif transport.kind == "stock":
        names = ("connection_timeout", "read_timeout", "connection_verify")
        settings = {name: options[name] for name in names}
        options["transport"] = (
            RequestsTransport(**settings)
            if transport.flavour == "sync"
            # Otherwise it reads .netrc.
            else AioHttpTransport(use_env_settings=False, **settings)
        )
    client = factory(endpoint, _credential(transport), **options)

    def close() -> None:
        client.close()
        if session is not None:
            close_session(session, place.loop)

    return client, close


def _timeout(cell: Cell) -> float:
    if _TIMED & set(cell.endings):
        return _SHORT
    return _LONG


def run(cell: Cell, place: Place) -> Outcome:
    """Makes the calls of a cell."""
    fault, transport = cell.fault, cell.transport
    before = set(threading.enumerate())
    with ExitStack() as stack:
        server = stack.enter_context(_server(fault, transport, place))
        port = stack.enter_context(_full_queue()) if fault.endpoint == "full" else server.port
        if fault.script is None and fault.place != "tls":
            server.__exit__()
        is_secure = transport.is_secure or fault.place in ("tls", "tunnel")
        scheme = "https" if is_secure else "http"
        host = "localhost" if scheme == "https" else "127.0.0.1"
        endpoint = fault.endpoint if "//" in (fault.endpoint or "") else f"{scheme}://{host}:{port}"
        if transport.has_proxy:
            endpoint = f"{scheme}://service.invalid"
        sent: list[str] = []
        options = {
            "api_version": "2025-03-02-preview",
            "retry_backoff_factor": 0,
            "timeout": fault.timeout,
            "connection_timeout": _timeout(cell),
            "read_timeout": _timeout(cell),
            "connection_verify": place.bundle,
            "logging_enable": True,
            "raw_request_hook": lambda request: sent.append(
                request.http_request.headers["x-ms-client-request-id"]
            ),
            **({} if cell.is_repeated else {"retry_total": 0}),
            **fault.options,
        }
        proxy = f"http://user:{PASSWORD}@127.0.0.1:{port}"
        shown = Shown()
        with shown.watching():
            client, close = _client(transport, place, str(endpoint), proxy, options)
            outcome = _call(cell, place, client, server, sent, shown)
            shown.texts["client"] = [repr(client.wrapped), str(client.wrapped)]
            close()
            if not transport.is_own:
                gc.collect()  # pools of requests are closed by a finalizer
            left_open = _left_open(server, before, place)
    complaints = [*outcome.complaints, *([f"left open: {left_open}"] if left_open else [])]
    complaints += shown.secrets(is_argument=cell.operation == "exchange")
    return outcome._replace(left_open=left_open, complaints=tuple(complaints))


def _call(
    cell: Cell,
    place: Place,
    client: EitherClient,
    server: FaultServer,
    sent: list[str],
    shown: Shown,
) -> Outcome:
    operation = OPERATIONS[cell.operation]
    error: BaseException | None = None
    result: str | None = None
    received, seconds = 0, 0.0
    complaints: list[str] = []
    for _ in range(cell.fault.calls):
        sent.clear()
        received = len(server.requests)
        began = time.monotonic()
        try:
            result = operation(client)
        except BaseException as caught:  # noqa: BLE001 - it is looked at
            # Without the frame of this function, whose locals no caller has.
            error = caught.with_traceback(caught.__traceback__ and caught.__traceback__.tb_next)
        seconds = time.monotonic() - began
        if error is not None:
            shown.add_exception(error, is_detailed=not cell.is_repeated)
            break
        if result is not None and not result.endswith(sent[-1]):
            complaints.append("the answer belongs to another request")
        # In the event loop, where connections are read from.
        place.loop.run_until_complete(asyncio.sleep(cell.fault.pause))
    # The hello of TLS is not a request.
    received = len([r for r in server.requests[received:] if r[:1].isalpha()])
    # What an earlier call has sent may be read late.
    if cell.fault.calls == 1 and received > len(sent) * rules.most_requests(cell):
        complaints.append(f"{received} requests for {len(sent)} attempts")
    complaints += rules.broken(cell, error, seconds, len(sent))
    ended = "a result" if error is None else rules.documented(error).__name__
    return Outcome(ended, seconds, len(sent), "", tuple(complaints))


def _left_open(server: FaultServer, before: set[threading.Thread], place: Place) -> str:
    """What is open a moment after the client was closed."""
    gives_up = time.monotonic() + _PATIENCE
    while True:
        place.loop.run_until_complete(asyncio.sleep(0))
        left = {
            "connections": server.open_connections,
            "threads": len([t for t in threading.enumerate() if _is_left(t, before)]),
            "tasks": len(asyncio.all_tasks(place.loop)),
            "errors that nobody handled": len(place.unhandled),
        }
        found = ", ".join(f"{count} {name}" for name, count in left.items() if count)
        if not found or time.monotonic() > gives_up:
            place.unhandled.clear()
            return found
        time.sleep(0.01)


def _is_left(thread: threading.Thread, before: set[threading.Thread]) -> bool:
    # The server counts its own as connections; those of asyncio belong to the event loop.
    own = thread.name.endswith(("(_serve)", "(_accept)")) or thread.name.startswith("asyncio_")
    return thread not in before and not own
