"""How many calls of one operation may start: the documented limits, over all processes."""

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from .resource import WINDOW_SECONDS
from .shared import SharedDownError, SharedRedis

if TYPE_CHECKING:
    from limits.aio.storage import RedisStorage

_PREFIX = "acs-token-limit"
_MOMENT = 0.05  # seconds
# A call is counted before it is sent, and arrives later: bursts that the resource must not see
# within one of its windows are kept apart by its window and by as long as a call may be under way.
# A call that took longer is counted again when it ends, since it may have arrived just then.
MARGIN_SECONDS = 3
_SECONDS = WINDOW_SECONDS + MARGIN_SECONDS
_UNLIMITED = 1_000_000
_LATE_PAUSE = 1.0  # seconds between two looks while late calls leave no room


def redis_storage(shared: SharedRedis) -> "RedisStorage":
    from limits.aio.storage import RedisStorage

    pool: Any = {"connection_pool": shared.client.connection_pool}
    return RedisStorage(f"async+{shared.url}", implementation="redispy", key_prefix=_PREFIX, **pool)


class Window:
    """A moving window for one operation.

    With Redis it counts the calls of all processes. Without, and for one window after Redis was
    down, each process keeps to its share.

    :param limit: Calls in 30 seconds that the resource allows.
    :param reserve: The part of them that only urgent calls may use.
    :param processes: How many processes share the limit.
    """

    def __init__(
        self, operation: str, limit: int, reserve: float, processes: int, shared: SharedRedis | None
    ) -> None:
        self.operation = operation
        here = _Part(operation, limit // processes, reserve)
        self._everywhere = _Part(operation, limit, reserve)
        self._here = here
        self.rate = here.ordinary.amount / _SECONDS  # calls a second, of this process
        self._local = MovingWindowRateLimiter(MemoryStorage())
        self._shared = shared
        self._global = MovingWindowRateLimiter(redis_storage(shared)) if shared else None
        self._keeps_to_share_until = 0.0
        self._closed_until = 0.0

    async def try_start(self, *, urgent: bool) -> float:
        """Counts a call if it may start now and returns 0, else the seconds until it may."""
        closed = await self._closed_for()
        if closed > 0:
            return closed
        if self._shared is None or self._global is None:
            return await self._here.hit(self._local, urgent=urgent)
        everywhere = partial(self._everywhere.hit, self._global, urgent=urgent)
        try:
            wait = await self._shared.attempt(everywhere)
        except SharedDownError:
            self._keeps_to_share_until = time.monotonic() + _SECONDS
            return await self._here.hit(self._local, urgent=urgent)
        if wait == 0 and time.monotonic() < self._keeps_to_share_until:
            return await self._here.hit(self._local, urgent=urgent)
        return wait

    async def count_late(self) -> None:
        """Counts a call that was under way for longer than the margin."""
        limiter, late = self._global, self._everywhere.late
        if self._shared is not None and limiter is not None:
            with suppress(SharedDownError):
                await self._shared.attempt(lambda: limiter.hit(late))
                return
        await self._local.hit(self._here.late)

    async def has_room(self, part: float) -> bool:
        """Whether at least `part` of the window is free, for work that can wait."""
        if await self._closed_for() > 0:
            return False
        if self._shared and self._global:
            limiter, ordinary = self._global, self._everywhere.ordinary
            try:
                stats = await self._shared.attempt(lambda: limiter.get_window_stats(ordinary))
            except SharedDownError:
                return False
            return stats.remaining >= ordinary.amount * part
        local = await self._local.get_window_stats(self._here.ordinary)
        return local.remaining >= self._here.ordinary.amount * part

    async def close_for(self, seconds: float) -> None:
        """Blocks calls in all processes for a time that the resource has set."""
        self._closed_until = max(self._closed_until, time.monotonic() + seconds)
        if self._shared is None:
            return
        client, key = self._shared.client, f"{_PREFIX}:closed:{self.operation}"
        try:
            await self._shared.attempt(lambda: client.set(key, 1, px=max(1, round(seconds * 1000))))
        except SharedDownError:
            return

    async def _closed_for(self) -> float:
        here = self._closed_until - time.monotonic()
        if self._shared is None or here > 0:
            return max(0.0, here)
        client, key = self._shared.client, f"{_PREFIX}:closed:{self.operation}"
        try:
            milliseconds: int = await self._shared.attempt(lambda: client.pttl(key))
        except SharedDownError:
            return 0.0
        return max(0.0, milliseconds / 1000)


class _Part:
    """A part of a limit, and the share that ordinary calls may use."""

    def __init__(self, operation: str, amount: int, reserve: float) -> None:
        ordinary = max(1, math.floor(amount * (1 - reserve)))
        self.all = RateLimitItemPerSecond(max(1, amount), _SECONDS, operation)
        self.ordinary = RateLimitItemPerSecond(ordinary, _SECONDS, operation)
        self.late = RateLimitItemPerSecond(_UNLIMITED, _SECONDS, f"{operation}-late")

    async def hit(self, limiter: MovingWindowRateLimiter, *, urgent: bool) -> float:
        """Counts a call and returns 0, or returns the seconds until there is room."""
        late = _UNLIMITED - (await limiter.get_window_stats(self.late)).remaining
        if late > 0:
            whole = self.all if urgent else self.ordinary
            if (await limiter.get_window_stats(whole)).remaining <= late:
                return _LATE_PAUSE
        if not urgent:
            wait = await _hit(limiter, self.ordinary)
            if wait > 0 or self.ordinary.amount == self.all.amount:
                return wait
        return await _hit(limiter, self.all)


async def _hit(limiter: MovingWindowRateLimiter, item: RateLimitItemPerSecond) -> float:
    if await limiter.hit(item):
        return 0.0
    reset, _ = await limiter.get_window_stats(item)
    return max(_MOMENT, reset - time.time())


def windows(
    limits: Mapping[str, int], reserve: float, processes: int, shared: SharedRedis | None
) -> dict[str, Window]:
    return {name: Window(name, limit, reserve, processes, shared) for name, limit in limits.items()}
