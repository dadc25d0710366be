"""The attempts of an event loop, and when it ends them."""

import asyncio
import os
import socket
import sys
from contextlib import suppress
from contextvars import ContextVar
from math import inf
from time import monotonic
from typing import Any

from ._attempt import Attempt

# Tasks of Python 3.10 have no count.
_COUNTS_CANCELLATIONS = sys.version_info >= (3, 11)


class AsyncAttempt(Attempt):
    """An attempt that knows its task and its connection."""

    __slots__ = (
        "_cancellations",
        "_has_cancelled",
        "_last_moment",
        "_task",
        "sockets",
        "transport",
        "until",
    )

    _under_way: "AttemptsUnderWay"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.transport: asyncio.Transport | None = None
        self.sockets: list[Any] = []  # those of its connection, or those it has tried
        # In the time of the event loop.
        self._last_moment = inf
        if self.deadline is not None:
            self._last_moment = self._under_way.loop.time() + self.deadline - monotonic()
        self.until = self._last_moment
        self._has_cancelled = False

    def begin(self) -> None:
        """Begins to wait for the server, in the current task."""
        task: Any = asyncio.current_task(self._under_way.loop)
        self._task = task
        self._cancellations = task.cancelling() if _COUNTS_CANCELLATIONS else 0
        super().begin()

    def end(self) -> None:
        """Waits no longer."""
        super().end()
        self.uncancel()  # if the cancellation was ignored

    def limit_to(self, seconds: float | None) -> None:
        """Ends the attempt after some seconds, or at its deadline if that is earlier.

        :param float seconds: Seconds from now; None for no limit. Replaces the limit before.
        """
        self.until = self._last_moment
        if seconds is not None:
            self.until = min(self.until, self._under_way.loop.time() + seconds)
        self._under_way.check_at(self.until)

    def abort(self) -> None:
        """Wakes the task, because the client is closed. Must be called in its event loop."""
        self.is_aborted = True
        self.cancel()

    def cancel(self) -> None:
        """Wakes the task, once."""
        if not self._has_cancelled:
            self._has_cancelled = True
            self._task.cancel()

    def uncancel(self) -> bool:
        """Takes the cancellation back.

        :return: Whether the attempt was cancelled, and the task by nobody else.
        """
        has_cancelled, self._has_cancelled = self._has_cancelled, False
        if has_cancelled and _COUNTS_CANCELLATIONS:
            return bool(self._task.uncancel() <= self._cancellations)
        return has_cancelled

    def abort_connection(self) -> None:
        """Ends the connection, which aiohttp may keep for another request."""
        if self.transport is not None:
            self.transport.abort()

    def drop_connection(self) -> None:
        """Ends the connection at once if aiohttp does not keep it.

        Otherwise the end of TLS waits for the server, longer perhaps than the event loop runs, and
        a connection to a proxy stays open if the client is closed while a tunnel is opened.
        """
        if self.transport is not None and not self.transport.is_closing():
            return
        if os.getpid() != self._under_way.process:
            return  # a forked child, whose garbage collector ends calls of the parent
        self.abort_connection()
        for each in self.sockets:
            # asyncio closes them: TLS that was closed twice cannot be aborted.
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


CURRENT_ATTEMPT: ContextVar[AsyncAttempt | None] = ContextVar("current_attempt", default=None)


class AttemptsUnderWay(set[AsyncAttempt]):
    """The attempts of an event loop, with one timer for all: one for each costs 4 % of a call.

    :param loop: The event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop = loop
        self.process = os.getpid()
        self._timer: asyncio.TimerHandle | None = None
        self._next_check = inf

    def check_at(self, when: float) -> None:
        """Ends attempts whose limit has passed at a time, if no earlier check is due."""
        if when < self._next_check:
            if self._timer is not None:
                self._timer.cancel()
            self._next_check = when
            self._timer = self.loop.call_at(when, self._check)

    def _check(self) -> None:
        now, self._next_check = self.loop.time(), inf
        for attempt in list(self):
            if attempt.until <= now:
                attempt.cancel()
        self.check_at(min((attempt.until for attempt in self if attempt.until > now), default=inf))
