"""The queue before the resource: calls start by their deadline, or are told when to retry."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping

from limits import parse
from limits.aio.strategies import MovingWindowRateLimiter
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter as LocalRateLimiter

from ..telemetry import metrics
from . import deadlines
from .errors import BusyError, ThrottledError, UnavailableError
from .shared import SharedDownError, SharedRedis
from .windows import MARGIN_SECONDS, Window, redis_storage, windows

_LONGEST_SLEEP = 1.0  # seconds between looks at a full window
_LONGEST_RETRY_AFTER = 180.0


class TooManyRequestsError(UnavailableError):
    """A person exceeds its rate."""

    code = "TooManyRequests"


class _Queue:
    """Calls of one operation that wait for the window, first come, first served."""

    def __init__(self, window: Window, *, urgent: bool) -> None:
        self._window = window
        self._urgent = urgent
        self._waiting: deque[asyncio.Future[float]] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._next_start = 0.0
        self._promised = 0.0

    async def turn(self, deadline: float) -> float:
        """Waits until a call may start; returns a time before it was counted.

        :raises BusyError: At once, if the call could not start before the deadline.
        """
        if not self._waiting:
            before = deadlines.now()
            wait = await self._window.try_start(urgent=self._urgent)
            if wait == 0:
                self._promised = 0.0  # there is room again: nobody has to wait for earlier promises
                return before
            self._next_start = deadlines.now() + wait
        self.check_room(deadline)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._start_those_who_wait())
        try:
            return await asyncio.wait_for(turn, max(0.0, deadlines.left(deadline)))
        except asyncio.TimeoutError:
            raise self._busy(max(0.0, deadlines.left(self._next_start))) from None

    def check_room(self, deadline: float) -> None:
        """:raises BusyError: If a call, so far as is known, could not start before the deadline."""
        estimate = max(0.0, deadlines.left(self._next_start))
        estimate += len(self._waiting) / self._window.rate
        if estimate > deadlines.left(deadline):
            raise self._busy(estimate)

    def _busy(self, estimate: float) -> BusyError:
        """Gives each caller a different time, at the pace of the window, to avoid a stampede."""
        now = deadlines.now()
        turn = max(self._promised, now + estimate)
        self._promised = turn + 1 / self._window.rate
        wait = turn - now
        if wait > _LONGEST_RETRY_AFTER:
            self._promised = turn
            wait = random.uniform(_LONGEST_RETRY_AFTER / 2, _LONGEST_RETRY_AFTER)  # noqa: S311
        metrics.QUEUE_REJECTED.labels(self._window.operation).inc()
        return BusyError("the resource is at its limit", max(1.0, wait))

    async def _start_those_who_wait(self) -> None:
        while self._waiting:
            if self._waiting[0].done():  # its caller has left
                self._waiting.popleft()
                continue
            before = deadlines.now()
            wait = await self._window.try_start(urgent=self._urgent)
            if wait == 0:
                turn = self._waiting.popleft()
                if not turn.done():
                    turn.set_result(before)
                continue
            self._next_start = deadlines.now() + wait
            await asyncio.sleep(min(wait, _LONGEST_SLEEP) * random.uniform(0.9, 1.1))  # noqa: S311

    async def close(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])


class Limiter:
    """Keeps all calls to the resource within its limits.

    :param limits: Calls in 30 seconds, by operation.
    :param reserve: The part of each limit that only urgent calls may use: revocations and deletions
        that a person asked for.
    :param person_rate: How many tokens may be issued for one person, such as ``20/minute``.
    """

    def __init__(
        self,
        limits: Mapping[str, int],
        *,
        reserve: float,
        processes: int,
        person_rate: str,
        shared: SharedRedis | None = None,
    ) -> None:
        self._windows = windows(limits, reserve, processes, shared)
        self._queues = {
            (name, urgent): _Queue(window, urgent=urgent)
            for name, window in self._windows.items()
            for urgent in (False, True)
        }
        self._person_rate = parse(person_rate)
        self._shared = shared
        self._persons = MovingWindowRateLimiter(redis_storage(shared)) if shared else None
        self._persons_here = LocalRateLimiter(MemoryStorage())

    async def turn(self, operation: str, deadline: float, *, urgent: bool = False) -> float:
        """Waits until a call may start; returns a time before it was counted.

        :raises BusyError: At once, if the call could not start before the deadline.
        """
        started = time.perf_counter()
        before = await self._queues[operation, urgent].turn(deadline)
        metrics.QUEUE_SECONDS.labels(operation).observe(time.perf_counter() - started)
        return before

    def check_room(self, operation: str, deadline: float) -> None:
        """:raises BusyError: If a call, so far as is known, could not start before the deadline."""
        self._queues[operation, False].check_room(deadline)

    async def has_room(self, operation: str, part: float) -> bool:
        return await self._windows[operation].has_room(part)

    async def ended(self, operation: str, turn: float) -> None:
        """A call has ended that had its turn then."""
        if deadlines.now() - turn > MARGIN_SECONDS:
            await self._windows[operation].count_late()

    async def throttled(self, operation: str, error: ThrottledError) -> None:
        """The resource answered 429: no process calls it before it allows."""
        await self._windows[operation].close_for(error.retry_after)

    async def count_person(self, person: str) -> None:
        """:raises TooManyRequestsError: If the person causes more calls than allowed."""
        item, persons = self._person_rate, self._persons
        if self._shared is not None and persons is not None:
            try:
                allowed = await self._shared.attempt(lambda: persons.hit(item, person))
            except SharedDownError:
                allowed = self._persons_here.hit(item, person)
        else:
            allowed = self._persons_here.hit(item, person)
        if not allowed:
            raise TooManyRequestsError("too many tokens for one person", item.get_expiry())

    async def close(self) -> None:
        for queue in self._queues.values():
            await queue.close()
