"""A refresh that is a task of an event loop, and the timer that starts the next one."""

import asyncio
from asyncio import AbstractEventLoop, Task, TimerHandle
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakMethod

from .token_refresh import CREDENTIAL_CLOSED, Refresh, RefreshOutcome

_NEEDS_ASYNCIO = (
    "CommunicationTokenCredential of azure.communication.identity.aio refreshes tokens in an "
    "asyncio event loop, and none is running here. Under trio, use the one of "
    "azure.communication.identity in a thread: trio.to_thread.run_sync(credential.get_token)."
)


def running_loop() -> AbstractEventLoop:
    """The event loop that runs here.

    :raises RuntimeError: If there is no asyncio event loop, as under trio.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(_NEEDS_ASYNCIO) from None


class TaskRefresh(Refresh):
    """A refresh that is a task of one event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = running_loop()
        self.done = self.loop.create_future()
        """For callers to wait for."""
        self.task: Task[None] | None = None

    def is_under_way(self) -> bool:
        """Whether it can be awaited: it runs, and in this loop."""
        return not self.is_over and self.loop is running_loop()

    def end(self, outcome: RefreshOutcome) -> None:
        """Wakes the callers. Without effect on a refresh that is over."""
        if not self.is_over:
            self.outcome = outcome
            self.is_over = True
            self.done.set_result(None)

    async def close(self) -> None:
        """Cancels the task, and waits for that if it belongs to this loop."""
        if self.loop is not running_loop():
            with suppress(RuntimeError):  # that loop is closed
                self.loop.call_soon_threadsafe(self._cancel)
            return
        self._cancel()
        if self.task is not None:
            await asyncio.wait([self.task])

    def _cancel(self) -> None:
        self.end(CREDENTIAL_CLOSED)
        if self.task is not None:
            self.task.cancel()


class LoopTimer:
    """Calls a method after a delay, in the event loop in which it starts.

    It does not keep the object of its method alive. No task exists until then.

    :param interval: The delay in seconds, from the start.
    :param method: The method. Its argument is the timer.
    """

    def __init__(self, interval: float, method: "Callable[[LoopTimer], object]") -> None:
        self.interval = interval
        self._method = WeakMethod(method)
        self._loop: AbstractEventLoop | None = None
        self._handle: TimerHandle | None = None

    def start(self) -> None:
        """Waits in the running loop."""
        self._loop = running_loop()
        self._handle = self._loop.call_later(self.interval, self._go_off)

    def cancel(self) -> None:
        """Does not call the method, unless its call has begun. Without effect before `start`."""
        if self._handle is not None:
            self._handle.cancel()

    def is_lost(self) -> bool:
        """Whether it waits for a loop to start, or its loop does not run."""
        return self._loop is None or not self._loop.is_running()

    def _go_off(self) -> None:
        method = self._method()
        if method is not None:
            method(self)
