"""The documented limits of requests per 30 seconds."""

import json
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..contract import errors
from ..contract.versions import Operation
from .calls import Call

WINDOW = 30.0  # seconds
_CREATE_WITH_TOKEN = "create-with-token"  # noqa: S105 - the name of a limit
_EXCHANGE = "exchange"
LIMITS = {
    Operation.CREATE.value: 1000,
    _CREATE_WITH_TOKEN: 1000,
    Operation.ISSUE.value: 1000,
    Operation.DELETE.value: 500,
    Operation.REVOKE.value: 500,
    _EXCHANGE: 500,
}
_EXCHANGES = (
    Operation.EXCHANGE_TEAMS_USER,
    Operation.EXCHANGE_TEAMS_EXTENSION,
    Operation.EXCHANGE_ENTRA,
)


class Limit(NamedTuple):
    """A limit, and the number of calls in the current window."""

    name: str
    limit: int
    used: int


class Throttle:
    """Counts calls in windows that begin with the first call after the last window."""

    def __init__(self, clock: Callable[[], float], *, tells_when: bool) -> None:
        """:param tells_when: Whether the error has Retry-After."""
        self._clock = clock
        self._tells_when = tells_when
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, call: Call) -> None:
        """:raises ServiceError: If the call is over the limit."""
        name = _limit_name(call)
        limit = LIMITS.get(name)
        if limit is None:
            return
        now = self._clock()
        began, calls = self._window(name, now)
        self._windows[name] = (began, calls + 1)
        if calls >= limit:
            left = math.ceil(WINDOW - (now - began))
            raise errors.too_many_requests(left if self._tells_when else None)

    def usage(self) -> Sequence[Limit]:
        """How much of each limit is used now."""
        now = self._clock()
        return [Limit(name, limit, self._window(name, now)[1]) for name, limit in LIMITS.items()]

    def _window(self, name: str, now: float) -> tuple[float, int]:
        """The time at which the current window began, and the number of its calls."""
        began, calls = self._windows.get(name, (now, 0))
        return (began, calls) if 0 <= now - began < WINDOW else (now, 0)

    def clear(self) -> None:
        self._windows.clear()


def _limit_name(call: Call) -> str:
    """The name of the limit that the call counts for."""
    if call.operation in _EXCHANGES:
        return _EXCHANGE
    if call.operation is Operation.CREATE and _asks_for_token(call.body):
        return _CREATE_WITH_TOKEN
    return call.operation.value


def _asks_for_token(body: bytes) -> bool:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and bool(content.get("createTokenWithScopes"))
