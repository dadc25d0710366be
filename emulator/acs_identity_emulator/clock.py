"""The clock of the service: the time that it is given, which a fault may put wrong."""

import contextlib
from collections.abc import Callable, Iterator


class ServiceClock:
    """Unix time, as the service takes it."""

    def __init__(self, base: Callable[[], float]) -> None:
        self._base = base
        self._offset = 0.0

    def __call__(self) -> float:
        return self._base() + self._offset

    @contextlib.contextmanager
    def off_by(self, seconds: float) -> Iterator[None]:
        """The clock is wrong inside; nothing in there may give way to another request."""
        self._offset = seconds
        try:
            yield
        finally:
            self._offset = 0.0
