"""`IdentityEmulator`: the service, started and stopped from Python."""

import asyncio
import concurrent.futures
import functools
import ipaddress
import os
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from types import TracebackType

from aiohttp import web

from .access_keys import decode_key
from .guids import is_guid
from .resource import Resource

_SHUTDOWN_TIMEOUT = 1.0  # seconds that requests under way get to end


class IdentityEmulator:
    """The Communication Services Identity service on a port of this machine.

    Use it as a context manager: ``with`` runs it in a thread of its own, ``async with`` in the
    running event loop. One object is started once.

    :param host: The address to listen on.
    :param port: The port to listen on, 0 for any that is free.
    :param database: A file that keeps the resource (its id, keys, signing keys and identities) over
        a restart. None keeps everything in memory. The file holds secrets of the emulator, and one
        emulator uses it at a time.
    :param access_key: The primary access key, base64. By default the one of the database, or a
        random one. A key that differs from the one in the database takes its place.
    :param secondary_key: The secondary access key, likewise.
    :param resource_id: The GUID of the resource, by default the one of the database, or a random
        one.
    :param clock: What the service takes for the time, in Unix seconds.
    :raises ValueError: an argument is not what it should be. The message never holds a key.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        database: str | os.PathLike[str] | None = None,
        access_key: str | None = None,
        secondary_key: str | None = None,
        resource_id: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not host:
            raise ValueError("host must be an address or a name, not empty")
        if not 0 <= port <= 65535:
            raise ValueError(f"port must be from 0 to 65535, not {port}")
        if database is not None and not os.fspath(database):
            raise ValueError("database must be the path of a file, not empty")
        if access_key is not None:
            decode_key("access_key", access_key)
        if secondary_key is not None:
            decode_key("secondary_key", secondary_key)
        if resource_id is not None and not is_guid(resource_id):
            raise ValueError(f"resource_id must be a GUID, not {resource_id!r}")
        self._host = host
        self._port = port
        self._open_resource = functools.partial(
            Resource,
            database=database,
            access_key=access_key,
            secondary_key=secondary_key,
            resource_id=resource_id,
            clock=clock,
        )
        self._phase = "new"
        self._resource: Resource | None = None
        self._runner: web.ServerRunner | None = None
        self._thread: _ServerThread | None = None
        self._endpoint = ""

    def start(self) -> "IdentityEmulator":
        """Starts the service in a thread of its own; it is listening when this returns.

        :raises RuntimeError: it was started before.
        :raises DatabaseError: the database cannot be used.
        :raises ValueError: the database belongs to another resource than `resource_id`.
        :raises OSError: the port is taken, or the address is not of this machine.
        """
        self._begin()
        try:
            self._resource = self._open_resource()
            self._thread = _ServerThread(self._listen, self._stop_listening)
        except BaseException:
            self._abandon()
            raise
        return self

    def stop(self) -> None:
        """Stops the service and waits until it has; does nothing if it does not run.

        :raises RuntimeError: it runs in an event loop, which only ``async with`` can leave.
        """
        if self._phase != "running":
            return
        if self._thread is None:
            raise RuntimeError("an emulator entered with 'async with' stops at the end of it")
        self._phase = "stopped"
        self._thread.stop()
        self._close_resource()

    def __enter__(self) -> "IdentityEmulator":
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> "IdentityEmulator":
        self._begin()
        try:
            self._resource = await asyncio.to_thread(self._open_resource)
            await self._listen()
        except BaseException:
            self._abandon()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._phase = "stopped"
        await self._stop_listening()
        self._close_resource()

    @property
    def endpoint(self) -> str:
        """The URL of the service, such as ``http://127.0.0.1:8080/``.

        :raises RuntimeError: the emulator does not run.
        """
        self._running()
        return self._endpoint

    @property
    def connection_string(self) -> str:
        """Endpoint and primary access key in one string, as the Azure portal shows it.

        :raises RuntimeError: the emulator does not run.
        """
        return f"endpoint={self.endpoint};accesskey={self.access_key}"

    @property
    def access_key(self) -> str:
        """The primary access key, base64.

        :raises RuntimeError: the emulator does not run.
        """
        return self._running().keys["primary"]

    @property
    def secondary_key(self) -> str:
        """The secondary access key, base64.

        :raises RuntimeError: the emulator does not run.
        """
        return self._running().keys["secondary"]

    @property
    def resource_id(self) -> str:
        """The GUID of the resource, which every identity carries in its id.

        :raises RuntimeError: the emulator does not run.
        """
        return self._running().id

    def is_token_valid(self, token: str) -> bool:
        """Whether the service issued this token, and it has neither expired nor been revoked.

        :raises RuntimeError: the emulator does not run.
        """
        return self._running().service.is_token_valid(token)

    def issue_entra_token(
        self,
        *,
        user_object_id: str,
        client_id: str,
        scopes: Sequence[str] | None = None,
        expires_in: timedelta = timedelta(hours=1),
    ) -> str:
        """A Microsoft Entra token of a Teams user, which the exchange operation accepts.

        :param user_object_id: The object id of the user, a GUID.
        :param client_id: The id of the application the user has signed in to, a GUID.
        :param scopes: URLs of scopes, all of one audience; by default those of Teams calling.
        :param expires_in: Its lifetime; a negative one gives a token that has expired.
        :raises ValueError: an id is not a GUID, or the scopes are not of one audience.
        :raises RuntimeError: the emulator does not run.
        """
        return self._running().entra.issue(user_object_id, client_id, scopes, expires_in)

    def _running(self) -> Resource:
        if self._phase == "stopped":
            raise RuntimeError("the emulator has been stopped")
        if self._resource is None:
            raise RuntimeError("the emulator does not run: start it first")
        return self._resource

    def _begin(self) -> None:
        if self._phase == "running":
            raise RuntimeError("the emulator runs already")
        if self._phase == "stopped":
            raise RuntimeError("an emulator cannot be started again: make another one")
        self._phase = "running"

    def _abandon(self) -> None:
        """Back to the beginning, after a start that has failed."""
        self._close_resource()
        self._phase = "new"

    def _close_resource(self) -> None:
        resource, self._resource = self._resource, None
        if resource is not None:
            resource.close()

    async def _listen(self) -> None:
        server = self._running().application.server()
        runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_TIMEOUT)
        try:
            await runner.setup()
            await web.TCPSite(runner, self._host, self._port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self._endpoint = _url_of(runner.addresses[0])

    async def _stop_listening(self) -> None:
        if self._runner is None:
            return
        # A connection accepted a moment ago is a few turns of the loop away from being known to the
        # runner (asyncio leaks it if its server closes before), and a closed one from being gone.
        await _turns_of_the_loop()
        await self._runner.cleanup()
        await _turns_of_the_loop()


async def _turns_of_the_loop() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class _ServerThread:
    """A thread with an event loop in which the service runs until it is stopped."""

    def __init__(
        self,
        listen: Callable[[], Coroutine[None, None, None]],
        stop_listening: Callable[[], Coroutine[None, None, None]],
    ) -> None:
        """Returns when `listen` has, and raises what it raises."""
        self._listen = listen
        self._stop_listening = stop_listening
        self._stopping = asyncio.Event()
        started: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)),
            name="acs-identity-emulator",
            daemon=True,
        )
        self._thread.start()
        self._loop = started.result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _serve(self, started: "concurrent.futures.Future[asyncio.AbstractEventLoop]") -> None:
        try:
            await self._listen()
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that starts
            started.set_exception(error)
            return
        started.set_result(asyncio.get_running_loop())
        await self._stopping.wait()
        await self._stop_listening()


def _url_of(address: tuple[str, int]) -> str:
    """The URL that reaches a listening socket from this machine."""
    host, port = address[:2]
    ip = ipaddress.ip_address(host.partition("%")[0])
    if ip.is_unspecified:
        ip = ipaddress.ip_address("127.0.0.1" if ip.version == 4 else "::1")
    return f"http://{f'[{ip}]' if ip.version == 6 else ip}:{port}/"
