"""The sockets of the service, and a thread with an event loop to serve them in."""

import asyncio
import concurrent.futures
import ipaddress
import ssl
import threading
from collections.abc import Callable, Coroutine

from aiohttp import web

_SHUTDOWN_TIMEOUT = 1.0  # seconds that requests under way get to end


class Listener:
    """One server on one port, or with TLS on two: the second in the clear, for managed identity."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._runner: web.ServerRunner | None = None
        self.endpoint = ""
        self.plain_endpoint = ""

    async def start(self, server: web.Server) -> None:
        """:raises OSError: the port is taken, or the address is not of this machine."""
        runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_TIMEOUT)
        try:
            await runner.setup()
            await web.TCPSite(runner, self._host, self._port, ssl_context=self._tls).start()
            self.endpoint = self.plain_endpoint = _url_of(runner.addresses[-1], self._tls)
            if self._tls is not None:
                await web.TCPSite(runner, self._host, 0).start()
                self.plain_endpoint = _url_of(runner.addresses[-1], None)
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner

    async def stop(self) -> None:
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


class ServerThread:
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
            target=self._run, args=(started,), name="acs-identity-emulator", daemon=True
        )
        self._thread.start()
        self._loop = started.result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self, started: "concurrent.futures.Future[asyncio.AbstractEventLoop]") -> None:
        serving = self._serve(started)
        try:
            asyncio.run(serving)
        except BaseException as error:
            serving.close()  # it has not begun if there is no event loop to be had
            if started.done():
                raise
            started.set_exception(error)  # which raises it in the thread that starts

    async def _serve(self, started: "concurrent.futures.Future[asyncio.AbstractEventLoop]") -> None:
        await self._listen()
        started.set_result(asyncio.get_running_loop())
        await self._stopping.wait()
        await self._stop_listening()


def _url_of(address: tuple[str, int], tls: ssl.SSLContext | None) -> str:
    """The URL that reaches a listening socket from this machine."""
    host, port = address[:2]
    ip = ipaddress.ip_address(host.partition("%")[0])
    if ip.is_unspecified:
        ip = ipaddress.ip_address("127.0.0.1" if ip.version == 4 else "::1")
    scheme = "http" if tls is None else "https"
    return f"{scheme}://{f'[{ip}]' if ip.version == 6 else ip}:{port}/"
