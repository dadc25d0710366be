"""Ends the process: on a signal or the end of its parent, within a time limit."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

_STOP_LIMIT = 1.8  # seconds
_WATCH_INTERVAL = 0.1  # seconds
_DID_NOT_STOP = 3  # the exit status then


class StopFlag:
    """True once a signal has asked to stop, or the parent has ended.

    A flag to poll, not an event to wait for: an event's lock may be held by the very code that the
    signal interrupts, and Windows cannot interrupt a wait.
    """

    def __init__(self, *, exit_with_parent: bool) -> None:
        self._is_set = False
        self._parent = os.getppid() if exit_with_parent else None

    def __bool__(self) -> bool:
        # The orphan gets another parent at once.
        return self._is_set or (self._parent is not None and os.getppid() != self._parent)

    def listen(self) -> None:
        """Has SIGINT, SIGTERM and the end of the terminal set the flag, and limits what follows."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP, the others no SIGBREAK
            if number is None or signal.getsignal(number) is signal.SIG_IGN:  # such as by nohup
                continue
            with contextlib.suppress(ValueError):  # not in the main thread
                signal.signal(number, self._stop)
        threading.Thread(target=self._watch, name="stopping", daemon=True).start()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._is_set = True

    def _watch(self) -> None:
        """Ends the process, whatever blocks it, if it does not end by itself."""
        while not self:
            time.sleep(_WATCH_INTERVAL)
        time.sleep(_STOP_LIMIT - _WATCH_INTERVAL)
        os._exit(_DID_NOT_STOP)


@contextlib.contextmanager
def limited(exit_status: int) -> Iterator[None]:
    """Ends the process with this status if the block takes longer than the limit."""
    timer = threading.Timer(_STOP_LIMIT, os._exit, [exit_status])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
