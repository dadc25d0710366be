"""A refresh that one thread leads and others wait for."""

import os
import sys
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import get_ident

from .token_refresh import REENTERED, Refresh, RefreshOutcome

_LONGEST_WAIT = 1


class ThreadRefresh(Refresh):
    """A refresh that one thread leads.

    If the leader is interrupted, by an exception of a signal handler at any point, the refresh
    ends. Waiting threads take over.
    """

    def __init__(self) -> None:
        super().__init__()
        self.successor: dict[str, ThreadRefresh] = {}
        """The next refresh, once it has begun."""
        self._thread = get_ident()
        self._process = os.getpid()
        self._bells: list[SimpleQueue[None]] = []

    def is_done(self) -> bool:
        """Whether the refresh is over, or its thread does not exist any more."""
        return (
            self.is_over
            or self._process != os.getpid()
            or (sys.is_finalizing() and self._thread != get_ident())
        )

    def wait(self) -> RefreshOutcome | None:
        """Waits until the refresh is over.

        :return: The outcome. None if the refresh was interrupted.
        :raises RuntimeError: If this thread, or the current context, is part of the refresh.
        """
        if self._thread == get_ident() or self.is_entered():
            raise RuntimeError(REENTERED)
        bell: SimpleQueue[None] = SimpleQueue()
        self._bells.append(bell)
        while not self.is_done():
            # The limit matters only if a second signal interrupts the leader as it wakes callers.
            with suppress(Empty):
                bell.get(timeout=_LONGEST_WAIT)
        return self.outcome

    def wake_callers(self) -> None:
        """Wakes the threads that wait."""
        for bell in self._bells:
            bell.put(None)
