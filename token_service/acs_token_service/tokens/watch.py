"""Waits for what other processes do."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from . import deadlines
from .errors import TimedOutError, UnavailableError

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")

_PAUSE = 0.05  # seconds between two looks, at least
_SHARE = 20  # and this many times as long as a look took
_BATCH = 512


class Watch(Generic[K, R]):
    """Looks for all that is awaited at once: a look for each would cost more the more of them wait.

    :param look: Returns what is finished of the keys, with its result.
    """

    def __init__(self, look: Callable[[Sequence[K]], Awaitable[Mapping[K, R]]]) -> None:
        self._look = look
        self._waiting: dict[K, asyncio.Future[R]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def result(self, key: K, deadline: float) -> R:
        """:raises TimedOutError: If the deadline passes first."""
        awaited = self._waiting.get(key)
        if awaited is None:
            awaited = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._keep_looking())
        await asyncio.wait([awaited], timeout=max(0.0, deadlines.left(deadline)))
        if not awaited.done():
            self._waiting.pop(key, None)
            raise TimedOutError("another process has not finished the work yet", retry_after=1)
        return awaited.result()

    async def _keep_looking(self) -> None:
        pause = _PAUSE
        while self._waiting:
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            started = deadlines.now()
            keys = list(self._waiting)
            try:
                for first in range(0, len(keys), _BATCH):
                    for key, result in (await self._look(keys[first : first + _BATCH])).items():
                        self._finish(key, result)
            except UnavailableError:
                pass  # logged where it happened; each waits until its deadline
            pause = max(_PAUSE, _SHARE * (deadlines.now() - started))

    def _finish(self, key: K, result: R) -> None:
        awaited = self._waiting.pop(key, None)
        if awaited is not None:
            awaited.set_result(result)

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
