"""A queue before a part that serves only so many callers at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from . import deadlines

_MEMORY = 0.1  # the weight of the latest use in the average


class FullError(Exception):
    """A caller cannot be admitted in time.

    :param retry_after: When to try again, in seconds from now.
    """

    def __init__(self, retry_after: float) -> None:
        super().__init__("the queue is full")
        self.retry_after = retry_after


class Admission:
    """Admits callers first come, first served; urgent ones go first, however long they wait.

    Urgent is what finishes work that the resource has already done: failing it would repeat the
    call.

    :param places: How many callers are admitted at once.
    :param patience: Seconds that the others wait. By the average of the uses before it, a caller
        that would wait longer is told so at once.
    """

    def __init__(self, places: int, patience: float) -> None:
        self._places = places
        self._free = places
        self._patience = patience
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._average = 0.0  # seconds of a use

    @asynccontextmanager
    async def place(self, *, urgent: bool = False) -> AsyncIterator[None]:
        """:raises FullError: If there is no place in time."""
        await self._enter(urgent=urgent)
        started = deadlines.now()
        try:
            yield
        finally:
            self._average += _MEMORY * (deadlines.now() - started - self._average)
            self._leave()

    async def _enter(self, *, urgent: bool) -> None:
        if self._free > 0:
            self._free -= 1
            return
        estimate = (len(self._urgent) + len(self._others) + 1) * self._average / self._places
        if not urgent and estimate > self._patience:
            raise FullError(estimate)
        turn = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._others).append(turn)
        try:
            await asyncio.wait([turn], timeout=None if urgent else self._patience)
        except asyncio.CancelledError:
            self._withdraw(turn)
            raise
        if not turn.done():
            turn.cancel()
            raise FullError(max(estimate, self._average))

    def _withdraw(self, turn: "asyncio.Future[None]") -> None:
        if turn.done():
            self._leave()
        else:
            turn.cancel()

    def _leave(self) -> None:
        """Passes the place on."""
        for queue in (self._urgent, self._others):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1
