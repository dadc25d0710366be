"""A thread with an event loop in which the service runs until it is stopped."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine


class ServerThread:
    """Runs `listen` at once, and `stop_listening` when it is stopped."""

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
        """Returns when the service has stopped."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self, started: "concurrent.futures.Future[asyncio.AbstractEventLoop]") -> None:
        serving = self._serve(started)
        try:
            asyncio.run(serving)
        except BaseException as error:
            serving.close()  # it never begins if no event loop can be had
            if started.done():
                raise
            started.set_exception(error)  # raised in the thread that starts

    async def _serve(self, started: "concurrent.futures.Future[asyncio.AbstractEventLoop]") -> None:
        await self._listen()
        started.set_result(asyncio.get_running_loop())
        await self._stopping.wait()
        await self._stop_listening()
