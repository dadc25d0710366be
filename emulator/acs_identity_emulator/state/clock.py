"""The clock of the service: the time that it is given, which a fault may put wrong."""

import contextlib
import threading
from collections.abc import Callable, Iterator


class _Offset(threading.local):
    """Of its own for each thread: who looks into the service meanwhile sees the right time."""

    seconds = 0.0


class ServiceClock:
    """Unix time, as the service takes it."""

    def __init__(self, base: Callable[[], float]) -> None:
        self._base = base
        self._offset = _Offset()

    def __call__(self) -> float:
        return self._base() + self._offset.seconds

    @contextlib.contextmanager
    def off_by(self, seconds: float) -> Iterator[None]:
        """The clock is wrong inside; nothing in there may give way to another request."""
        self._offset.seconds = seconds
        try:
            yield
        finally:
            self._offset.seconds = 0.0
