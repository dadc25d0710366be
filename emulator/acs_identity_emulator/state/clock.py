"""The clock of the service: that of its machine, advanced by tests, falsified by faults."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from ..contract.lifetimes import FARTHEST


class _Offset(threading.local):
    """One for each thread: a thread that inspects the service meanwhile sees the right time."""

    seconds = 0.0


class ServiceClock:
    """Unix time in seconds, as the service sees it."""

    def __init__(self, base: Callable[[], float] | None = None) -> None:
        """:param base: Unix time in seconds; by default that of the machine."""
        self._base = base or _machine_time
        self._offset = _Offset()
        self._lock = threading.Lock()
        self._advanced = 0.0

    def __call__(self) -> float:
        return self._base() + self._advanced + self._offset.seconds

    @property
    def advanced(self) -> timedelta:
        """By how much the clock was advanced in all."""
        return timedelta(seconds=self._advanced)

    def advance(self, by: timedelta) -> None:
        """Advances the clock: tokens age, and limits are replenished.

        :raises TypeError: If `by` is not a timedelta.
        :raises ValueError: If `by` is negative, or the total exceeds ten years.
        """
        if not isinstance(by, timedelta):
            raise TypeError(
                f"advance takes a timedelta such as timedelta(hours=25), not {type(by).__name__}"
            )
        with self._lock:
            total = self._advanced + by.total_seconds()
            if by < timedelta(0) or total > FARTHEST.total_seconds():
                raise ValueError(
                    "the clock can be advanced by 0 seconds to ten years in all, "
                    f"not by {by.total_seconds():.0f} seconds more; reset() puts it back"
                )
            self._advanced = total

    def put_back(self) -> None:
        """Undoes every advance."""
        with self._lock:
            self._advanced = 0.0

    def times_of_clients(self) -> tuple[float, float]:
        """The times that the date of a request may be close to.

        A client whose clock was not advanced with that of the service must not be rejected, and
        neither must a client whose clock was, for example by freezegun in another process.
        """
        machine = self._base() + self._offset.seconds
        return machine, machine + self._advanced

    @contextlib.contextmanager
    def off_by(self, seconds: float) -> Iterator[None]:
        """The clock is wrong inside; nothing in there may yield to another request."""
        self._offset.seconds = seconds
        try:
            yield
        finally:
            self._offset.seconds = 0.0


def _machine_time() -> float:
    # The function is looked up at each call, so that freezegun and time-machine can replace it.
    return time.time()
