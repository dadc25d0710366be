"""A thread with an event loop in which the service runs until it is stopped."""

import asyncio
import concurrent.futures
import functools
import sys
import threading
import time
from collections.abc import Callable, Coroutine

if sys.platform == "win32":
    _DefaultLoop = asyncio.ProactorEventLoop
    _uptime = functools.partial(time.monotonic)
else:
    _DefaultLoop = asyncio.SelectorEventLoop
    # freezegun replaces `time.monotonic` in every module, but not this function.
    _uptime = functools.partial(time.clock_gettime, time.CLOCK_MONOTONIC)


class EventLoop(_DefaultLoop):
    """Its timers run under freezegun, too: delays end, and a connection that stops is closed."""

    def time(self) -> float:
        return _uptime()


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
        try:
            loop = EventLoop()
            try:
                loop.run_until_complete(self._serve(started))
            finally:
                loop.run_until_complete(_cancel_others())
                loop.close()
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)  # raised in the thread that starts

    async def _serve(self, started: "concurrent.futures.Future[asyncio.AbstractEventLoop]") -> None:
        await self._listen()
        started.set_result(asyncio.get_running_loop())
        await self._stopping.wait()
        await self._stop_listening()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
