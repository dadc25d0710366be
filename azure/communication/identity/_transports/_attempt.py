"""One attempt to send a request: how long it may last, and how far it has come."""

import time
from collections.abc import MutableSet
from typing import Any

from . import _limits
from ._settings import Timeouts


class Attempt:
    """A request on its way.

    :param under_way: The attempts that its transport ends when it is closed.
    :param timeouts: The timeouts of the request.
    :param float deadline: The :func:`time.monotonic` at which the attempt ends at the latest, or
        None.
    :param bool is_streamed: Whether the caller reads the body, which then has no limit.
    """

    __slots__ = (
        "_under_way",
        "deadline",
        "has_deadline",
        "is_aborted",
        "is_begun",
        "is_sent",
        "is_streamed",
        "timeouts",
    )

    def __init__(
        self,
        under_way: MutableSet[Any],
        timeouts: Timeouts,
        deadline: float | None,
        is_streamed: bool,
    ) -> None:
        self._under_way = under_way
        self.timeouts = timeouts
        self.is_streamed = is_streamed
        self.has_deadline = deadline is not None
        if deadline is None and timeouts.read is not None and not is_streamed:
            deadline = time.monotonic() + max(timeouts.read, _limits.ATTEMPT_SECONDS)
        self.deadline = deadline
        # Whether a connection was asked for.
        self.is_begun = False
        # Whether the server may have seen the request.
        self.is_sent = False
        # Whether the client was closed meanwhile.
        self.is_aborted = False

    def begin(self) -> None:
        """Begins to wait for the server."""
        self._under_way.add(self)

    def end(self) -> None:
        """Waits no longer."""
        self._under_way.discard(self)

    def within(self, limit: float | None) -> float | None:
        """Seconds from now to the deadline, or the limit if that is shorter.

        :raises TimeoutError: If the deadline has passed.
        """
        if self.deadline is None:
            return limit
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("The deadline has passed.")
        return remaining if limit is None else min(remaining, limit)
