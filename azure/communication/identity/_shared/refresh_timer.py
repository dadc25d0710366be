"""One thread per process waits for the alarms of all sync credentials."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from heapq import heapify, heappop, heappush
from queue import Empty, SimpleQueue
from threading import RLock, Semaphore, Thread
from time import monotonic
from weakref import WeakMethod

_THREAD_NAME = "CommunicationTokenCredential"
_RETRY_DELAY = 0.1
_MOST_CALLS = 32  # at a time: credentials that are made together are due together


class Alarm:
    """Calls a method after a delay, in a separate thread that ends with the call.

    An alarm does not keep the object of its method alive. It may be cancelled at any point, also in
    a destructor or a signal handler: a ``SimpleQueue`` allows it, the lock of a
    ``threading.Timer`` does not.

    :param interval: The delay in seconds.
    :param method: The method. Its argument is the alarm.
    """

    # An attribute of a class: libraries that freeze the time replace the names of modules.
    _clock = staticmethod(monotonic)

    def __init__(self, interval: float, method: "Callable[[Alarm], object]") -> None:
        self.interval = interval
        self.is_cancelled = False
        self._due = self._clock() + interval
        self._method = WeakMethod(method)
        self.thread: Thread | None = None
        self.changes: SimpleQueue[Alarm] = SimpleQueue()
        """The queue of its thread, once it has one."""

    def __lt__(self, other: "Alarm") -> bool:
        return self._due < other._due

    def start(self) -> bool:
        """Waits in the background. False if a new thread is needed and cannot be started."""
        global _current
        thread = _current
        if thread is not None and thread.takes(self):
            return True
        # Threads have stopped, one perhaps with the lock, and Python 3.10 and 3.11 would wait for a
        # new one, which never runs.
        if sys.is_finalizing():
            return False
        with _STARTING:
            thread = _current
            if thread is not None and thread.takes(self):
                return True
            thread = _TimerThread()
            thread.takes(self)
            try:
                thread.start()
            except RuntimeError:  # there are too many threads, or the interpreter is shutting down
                return False
            _current = thread
            return True

    def cancel(self) -> None:
        """Does not call the method, unless its call has begun."""
        # Without a branch: a signal handler may run at one, and leave the alarm to its thread.
        self.is_cancelled = True
        self.changes.put(self)

    def is_lost(self) -> bool:
        """Whether it can never go off: after a fork, the child process does not have its thread."""
        return self.is_cancelled or self.thread is None or not self.thread.is_alive()

    def left(self) -> float:
        """The seconds until the alarm is due."""
        return max(self._due - self._clock(), 0)

    def go_off(self, places: Semaphore) -> bool:
        """Calls the method. False if no thread can be started for the call now.

        :param places: The threads that may still be started. The call takes one until it ends.
        """
        method = None if self.is_cancelled else self._method()
        if method is None:
            return True
        if places.acquire(blocking=False):
            with suppress(RuntimeError):  # the process has too many threads
                Thread(
                    target=self._call, args=[method, places], name=_THREAD_NAME, daemon=True
                ).start()
                return True
            places.release()
        self._due = self._clock() + _RETRY_DELAY
        return False

    def _call(self, method: "Callable[[Alarm], object]", places: Semaphore) -> None:
        try:
            method(self)
        finally:
            places.release()


class _TimerThread(Thread):
    """Waits for the next alarm. Ends when there are no alarms."""

    def __init__(self) -> None:
        super().__init__(name=_THREAD_NAME, daemon=True)
        self.changes: SimpleQueue[Alarm] = SimpleQueue()
        """Alarms that were started or cancelled."""
        self.is_ending = False
        self._places = Semaphore(_MOST_CALLS)
        self._alarms: list[Alarm] = []
        self._cancelled = 0

    def takes(self, alarm: Alarm) -> bool:
        """Hands over an alarm. False if the thread has ended, or may be about to."""
        if self.ident is not None and not self.is_alive():
            return False
        alarm.thread, alarm.changes = self, self.changes
        self.changes.put(alarm)
        return not self.is_ending

    def run(self) -> None:
        alarms = self._alarms
        while True:
            try:
                self._take(self._next_change())
            except Empty:
                if alarms:
                    alarm = heappop(alarms)
                    if not alarm.go_off(self._places):
                        heappush(alarms, alarm)
                elif self._ends():
                    return

    def _next_change(self) -> Alarm:
        """The next alarm that was started or cancelled, before the first alarm is due.

        :raises queue.Empty: If no alarm was started or cancelled.
        """
        # Before Python 3.13, get(timeout) may hang unless a get has found the queue empty since the
        # last put.
        with suppress(Empty):
            return self.changes.get_nowait()
        return self.changes.get(timeout=self._alarms[0].left() if self._alarms else 0)

    def _take(self, alarm: Alarm) -> None:
        if not alarm.is_cancelled:
            heappush(self._alarms, alarm)
            return
        self._cancelled += 1
        if self._cancelled > len(self._alarms) // 2:
            self._alarms[:] = [alarm for alarm in self._alarms if not alarm.is_cancelled]
            heapify(self._alarms)
            self._cancelled = 0

    def _ends(self) -> bool:
        # An alarm that was put before this is seen by the check after it. One that is put after it
        # sees this, and is put to the next thread as well, where it is cancelled or goes off.
        self.is_ending = True
        self.is_ending = self.changes.empty()
        return self.is_ending


_STARTING = RLock()
if sys.platform != "win32":  # pragma: no branch
    # A child process must not inherit a lock that a thread of its parent holds.
    os.register_at_fork(
        before=_STARTING.acquire,
        after_in_parent=_STARTING.release,
        after_in_child=_STARTING.release,
    )
_current: _TimerThread | None = None
