"""Ends the process: on a signal or the end of its parent, within a time limit."""

import contextlib
import os
import signal
import threading
from types import FrameType

_STOP_LIMIT = 1.5  # seconds
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
        """Has SIGINT, SIGTERM and the end of the terminal set the flag."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP, the others no SIGBREAK
            if number is None or signal.getsignal(number) is signal.SIG_IGN:  # such as by nohup
                continue
            with contextlib.suppress(ValueError):  # not in the main thread
                signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._is_set = True


def limit_stop() -> threading.Timer:
    """Ends the process after `_STOP_LIMIT`, whatever blocks it; cancel it after a clean stop."""
    timer = threading.Timer(_STOP_LIMIT, os._exit, [_DID_NOT_STOP])
    timer.daemon = True
    timer.start()
    return timer


def raise_file_limit() -> None:
    """Allows as many open sockets as the system does; the default is often 1024."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
