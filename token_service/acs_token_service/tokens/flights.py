"""Runs a piece of work once for all of its callers, even if callers leave."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from . import deadlines
from .errors import TimedOutError

T = TypeVar("T")


class Flights(Generic[T]):
    """Runs work in separate tasks, at most one for each key."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}

    async def run(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]], deadline: float
    ) -> T:
        """Joins the run of `key`, or starts it.

        If a caller is cancelled, or its deadline passes, the run continues: its result is cached
        for the next caller.

        :raises TimedOutError: If the deadline passes first.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._finished(key, done))
        finished, _ = await asyncio.wait([task], timeout=max(0.0, deadlines.left(deadline)))
        if not finished:
            raise TimedOutError("the work is not finished yet", retry_after=1)
        return task.result()

    def _finished(self, key: Hashable, task: asyncio.Task[T]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # read, so that asyncio does not report it when no caller has stayed

    async def drain(self, timeout: float) -> None:
        """Waits until the runs under way are finished, then cancels the rest."""
        deadline = deadlines.now() + timeout
        while self._tasks and deadlines.left(deadline) > 0:
            await asyncio.wait(list(self._tasks.values()), timeout=deadlines.left(deadline))
        rest = list(self._tasks.values())
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest)


class Background:
    """Tasks that no caller waits for, kept until they are finished."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, timeout: float) -> None:
        """Waits until all are finished, then cancels the rest."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=timeout)
        rest = list(self._tasks)
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest)
