"""The sockets of the service: one port takes http and https, told apart by the first byte."""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import select
import socket
import ssl

from .connection import Connection, RequestHandler

_BACKLOG = 1024
_SHUTDOWN_TIMEOUT = 0.7  # seconds that requests under way get to end
_HANDSHAKE_TIMEOUT = 10.0  # seconds
_IDLE_LIMIT = 300.0  # seconds after which a connection without a request is closed
_SWEEP_INTERVAL = 30.0  # seconds
_TLS_HANDSHAKE = b"\x16"  # the first byte of a TLS connection, and never of an HTTP request
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_EXHAUSTED_PAUSE = 0.1  # seconds
_EXHAUSTED_PATIENCE = 1.0  # seconds in which a client must send a request while sockets are short

_log = logging.getLogger("acs_identity_emulator")


class Listener:
    """Listens on one port, and optionally on a second one for the managed identity."""

    def __init__(self, host: str, port: int, identity_port: int | None, *, tls: bool) -> None:
        """:param tls: whether `endpoint` is https; both protocols are served in any case."""
        self._host = host
        self._port = port
        self._identity_port = identity_port
        self._scheme = "https" if tls else "http"
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._greeting: dict[asyncio.Task[None], float] = {}  # since when
        self._connections: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._is_exhausted = False
        self._is_stopping = False
        self.port = 0
        self.endpoint = ""
        self.plain_endpoint = ""

    def connection_count(self) -> int:
        """How many clients are connected, silent ones included."""
        return len(self._connections) + len(self._greeting)

    def bind(self) -> None:
        """Takes the ports; connections wait until `serve` is called.

        :raises OSError: If a port is taken, or the address is not of this machine.
        """
        try:
            first = self._bind("port", self._port)
            self.port = first.getsockname()[1]
            self.endpoint = _url(self._scheme, first)
            second = first
            if self._identity_port is not None:
                second = self._bind("identity_port", self._identity_port)
            self.plain_endpoint = _url("http", second)
        except BaseException:
            self._close_sockets()
            raise

    def serve(self, application: RequestHandler, context: ssl.SSLContext) -> None:
        """:param context: of the certificate to show to clients that speak TLS."""
        loop = asyncio.get_running_loop()
        self._accepting = [
            loop.create_task(self._accept(sock, application, context)) for sock in self._sockets
        ]
        self._sweep()

    async def stop(self) -> None:
        """Lets requests under way end, but not for long; if it is cancelled, they are aborted."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._is_stopping = True
        try:
            await self._drain()
        finally:
            self._close_sockets()
            for task in (*self._accepting, *self._greeting):
                task.cancel()
            for connection in list(self._connections):
                connection.abort()
        # The loop closes a socket a few turns after it was told to.
        await _turns_of_the_loop()

    async def _drain(self) -> None:
        """Accepts no more connections, and waits for those that there are."""
        for sock in self._sockets:
            # Ends a wait for a connection. Its cancellation could lose an accepted socket.
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        await _turns_of_the_loop()
        tasks = [*self._accepting, *self._greeting]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._close_sockets()
        open_ones = list(self._connections)
        for connection in open_ones:
            connection.finish()
        if open_ones:
            closed = [connection.closed for connection in open_ones]
            await asyncio.wait(closed, timeout=_SHUTDOWN_TIMEOUT)

    def _bind(self, argument: str, port: int) -> socket.socket:
        """
        :param argument: The name of the port, for the error.
        :raises OSError: If the port cannot be used.
        """
        try:
            return self._listen_on(port)
        except OSError as error:
            reason = str(error.strerror or error).partition(" (while ")[0]
            advice = "name another port, 0 for any free one, or another host"
            if error.errno in _EXHAUSTED:
                advice = "allow more open files, such as by ulimit -n"
            error.strerror = (
                f"{argument} {port}: cannot listen on {self._host} ({reason}): {advice}"
            )
            raise

    def _listen_on(self, port: int) -> socket.socket:
        """Listens on every address of the host; returns the first socket."""
        found = socket.getaddrinfo(
            self._host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        bound: list[socket.socket] = []
        for family, _, _, _, address in dict.fromkeys(found):
            if bound:  # localhost has two addresses, which are to have the same port
                address = (address[0], bound[0].getsockname()[1], *address[2:])
            try:
                sock = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
            except OSError:
                if bound and port == 0:
                    continue
                raise
            sock.setblocking(False)
            bound.append(sock)
            self._sockets.append(sock)
        return bound[0]

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()

    async def _accept(
        self, sock: socket.socket, application: RequestHandler, context: ssl.SSLContext
    ) -> None:
        loop = asyncio.get_running_loop()
        while not self._is_stopping:
            try:
                client, _ = await loop.sock_accept(sock)
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    await self._recover(error)
                continue  # else a client that left before it was accepted
            self._is_exhausted = False
            client.setblocking(False)
            greeting = loop.create_task(self._greet(client, application, context))
            self._greeting[greeting] = loop.time()
            greeting.add_done_callback(self._greeting.pop)

    async def _recover(self, error: OSError) -> None:
        """Makes room when the process may open no more sockets."""
        if not self._is_exhausted:
            _log.warning("cannot accept connections (%s): silent ones are closed", error.strerror)
        self._is_exhausted = True
        silent_since = asyncio.get_running_loop().time() - _EXHAUSTED_PATIENCE
        for connection in list(self._connections):
            if connection.is_idle or connection.is_silent(silent_since):
                connection.abort()
        for greeting, since in self._greeting.items():
            if since < silent_since:
                greeting.cancel()
        await asyncio.sleep(_EXHAUSTED_PAUSE)

    async def _greet(
        self, client: socket.socket, application: RequestHandler, context: ssl.SSLContext
    ) -> None:
        """Finds out which protocol the client speaks, and serves it."""
        try:
            first = await _first_byte(client)
        except BaseException as error:
            client.close()
            if isinstance(error, OSError | asyncio.TimeoutError):
                return  # the client has left, or sends nothing
            raise
        if not first:
            client.close()
            return
        is_tls = first == _TLS_HANDSHAKE
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(application, self._connections),
                client,
                ssl=context if is_tls else None,
                ssl_handshake_timeout=_HANDSHAKE_TIMEOUT if is_tls else None,
            )
        except ssl.SSLError as error:
            # Such as TLSV1_ALERT_UNKNOWN_CA: the client does not trust the authority.
            _log.info("- TLS handshake failed: %s", error.reason)
        except OSError:
            _log.info("- TLS handshake failed: the client left")

    def _sweep(self) -> None:
        """Closes idle connections: a client that vanished never closes its own."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - _IDLE_LIMIT
        for connection in list(self._connections):
            if connection.is_silent(oldest):
                connection.abort()
        self._sweeping = loop.call_later(_SWEEP_INTERVAL, self._sweep)


async def _first_byte(client: socket.socket) -> bytes:
    """The first byte, which stays in the socket; empty if the client has left.

    :raises OSError: If the connection is broken.
    :raises asyncio.TimeoutError: If the client sends nothing.
    """
    while True:
        try:
            return client.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            await asyncio.wait_for(_readable(client), _IDLE_LIMIT)


async def _readable(client: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    try:
        loop.add_reader(client, _settle, ready)
    except NotImplementedError:  # the default loop of Windows
        await loop.run_in_executor(None, select.select, [client], [], [], _IDLE_LIMIT)
        return
    try:
        await ready
    finally:
        loop.remove_reader(client)


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


async def _turns_of_the_loop() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def _url(scheme: str, sock: socket.socket) -> str:
    """The URL that reaches a listening socket from this machine."""
    host, port = sock.getsockname()[:2]
    ip = ipaddress.ip_address(host.partition("%")[0])
    if ip.is_unspecified:
        ip = ipaddress.ip_address("127.0.0.1" if ip.version == 4 else "::1")
    return f"{scheme}://{f'[{ip}]' if ip.version == 6 else ip}:{port}/"
