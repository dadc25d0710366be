"""Time limits of blocks of code in a task, which can be moved."""

import asyncio
import sys
from typing import Any

if sys.version_info >= (3, 11):
    from asyncio import timeout as time_limit

    def _move(limit: Any, when: float | None) -> None:
        limit.reschedule(when)
else:
    from async_timeout import timeout as time_limit  # pyright: ignore[reportMissingModuleSource]

    def _move(limit: Any, when: float | None) -> None:
        limit.update(when)


__all__ = ["extend", "time_limit"]


def extend(limit: Any, seconds: float | None) -> None:
    """Restarts a time limit. Must be called in the thread of the event loop.

    :param limit: What :func:`time_limit` returned.
    :param float seconds: Seconds from now; None for no limit.
    """
    loop = asyncio.get_running_loop()
    _move(limit, None if seconds is None else loop.time() + seconds)
