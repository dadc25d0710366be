"""Deadlines, in the seconds of the running event loop."""

import asyncio
import random


def now() -> float:
    return asyncio.get_running_loop().time()


def left(deadline: float) -> float:
    return deadline - now()


class Poll:
    """Pauses while polling the work of another process: a little longer each time, randomized."""

    def __init__(self, deadline: float, first: float = 0.02, longest: float = 0.5) -> None:
        self._deadline = deadline
        self._delay = first
        self._longest = longest

    async def again(self) -> bool:
        """Waits; False, at once, when the deadline has passed."""
        remaining = left(self._deadline)
        if remaining <= 0:
            return False
        await asyncio.sleep(min(self._delay * random.uniform(0.5, 1.5), remaining))  # noqa: S311
        self._delay = min(self._delay * 1.5, self._longest)
        return True
