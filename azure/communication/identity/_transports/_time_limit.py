"""A time limit for a block of code in a task, which can be extended and ended."""

import asyncio
import sys
from typing import Any

from typing_extensions import Self

if sys.version_info >= (3, 11):
    from asyncio import timeout_at

    def _move(scope: Any, when: float | None) -> None:
        scope.reschedule(when)
else:
    from async_timeout import timeout_at  # pyright: ignore[reportMissingModuleSource]

    def _move(scope: Any, when: float | None) -> None:
        scope.update(when)


class TimeLimit:
    """Raises TimeoutError in the block when the time is over.

    :param float seconds: Seconds from now; None for no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._scope: Any = timeout_at(self._from_now(seconds))

    def _from_now(self, seconds: float | None) -> float | None:
        return None if seconds is None else self._loop.time() + seconds

    def extend(self, seconds: float | None) -> None:
        """Begins anew.

        :param float seconds: Seconds from now; None for no limit.
        """
        _move(self._scope, self._from_now(seconds))

    def end(self) -> None:
        """Lets the time be over now. To be called in the thread of the event loop."""
        self.extend(0)

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        return self

    async def __aexit__(self, *exception: Any) -> Any:
        return await self._scope.__aexit__(*exception)
