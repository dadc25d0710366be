"""Faults: their kinds and spellings, and the queue from which requests take them."""

import itertools
import threading
from collections import deque
from enum import Enum
from typing import NamedTuple

from .lifetimes import FARTHEST
from .versions import OPERATIONS, Operation

ANY = "any"
_LONGEST_DELAY = 3600.0  # seconds
_FARTHEST_CLOCK = FARTHEST.total_seconds() / 60  # minutes


class Kind(Enum):
    """The kind of a fault, by its spelling."""

    STATUS = "status"
    HTML = "html"
    DELAY = "delay"
    RESET = "reset"
    RESET_IN_BODY = "reset-in-body"
    TRUNCATED = "truncated"
    NO_FIELDS = "no-fields"
    CLOCK = "clock"


class Fault(NamedTuple):
    """One fault.

    :param value: The status, the seconds of a delay, or the minutes that the clock is ahead.
    :param retry_after: Seconds; only a status has it.
    """

    kind: Kind
    value: float = 0
    retry_after: int | None = None


SPELLINGS = """\
status:CODE          an error of the service with that status (400 to 599)
status:CODE:SECONDS  the same with Retry-After
html                 503 with a page of HTML, like that of a proxy
delay:SECONDS        the response, late
reset                a connection reset; the operation is not executed
reset-in-body        a connection reset in the middle of the response; the operation is executed
truncated            the first half of the JSON; the operation is executed
no-fields            {} with a success status; the operation is executed
clock:MINUTES        the response of a service whose clock is ahead, or behind if negative
"""

# The spellings as a regular expression. Which values and operations fit is checked besides.
PATTERN = (
    "^(status:[45][0-9]{2}(:[0-9]{1,9})?|html|delay:[0-9]+([.][0-9]+)?|reset|reset-in-body|truncated"
    "|no-fields|clock:-?[0-9]+([.][0-9]+)?)$"
)

_HAS_VALUE = (Kind.STATUS, Kind.DELAY, Kind.CLOCK)
_NEEDS_BODY = (Kind.RESET_IN_BODY, Kind.TRUNCATED, Kind.NO_FIELDS)
_WITHOUT_BODY = (
    Operation.DELETE,
    Operation.REVOKE,
    Operation.DELETE_ASSIGNMENT,
    Operation.DELETE_ENTRA_ASSIGNMENT,
)


def parse_fault(text: str) -> Fault:
    """The fault with this spelling.

    :raises ValueError: If the spelling is unknown; the message lists the known ones.
    """
    word, *values = text.split(":")
    try:
        kind = Kind(word)
        if kind is Kind.STATUS and len(values) == 2:
            return _checked(Fault(kind, int(values[0]), _non_negative(values[1])))
        if kind in _HAS_VALUE and len(values) == 1:
            number = int(values[0]) if kind is Kind.STATUS else float(values[0])
            return _checked(Fault(kind, number))
        if kind not in _HAS_VALUE and not values:
            return Fault(kind)
    except ValueError:
        pass
    raise ValueError(f"fault must be one of those listed, not {text!r}:\n{SPELLINGS}")


def _checked(fault: Fault) -> Fault:
    """:raises ValueError: If the value is out of range."""
    if fault.kind is Kind.STATUS and not 400 <= fault.value <= 599:
        raise ValueError
    if fault.kind is Kind.DELAY and not 0 <= fault.value <= _LONGEST_DELAY:
        raise ValueError
    if fault.kind is Kind.CLOCK and not abs(fault.value) <= _FARTHEST_CLOCK:
        raise ValueError
    return fault


def _non_negative(text: str) -> int:
    if int(text) < 0:
        raise ValueError
    return int(text)


class Armed(NamedTuple):
    """A fault as injected.

    :param operation: The operation whose requests get it, or ``any``.
    :param fault: The fault, as `IdentityEmulator.inject` takes it.
    :param times: How many requests are still to get it.
    :param used: How many requests have got it.
    """

    operation: str
    fault: str
    times: int
    used: int = 0


class _Waiting(NamedTuple):
    number: int  # in the order of injection
    fault: Fault
    armed: Armed

    def used_once(self) -> "_Waiting":
        armed = self.armed
        return self._replace(armed=armed._replace(times=armed.times - 1, used=armed.used + 1))


class FaultQueue:
    """Faults that wait for their requests; a request gets the first that fits it.

    There is a queue for each kind of fit, so that a request costs the same however many wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = itertools.count()
        self._queues: dict[tuple[str, bool], deque[_Waiting]] = {}

    def __bool__(self) -> bool:
        return bool(self._queues)

    def inject(self, operation: str, fault: str, times: int) -> None:
        """
        :raises TypeError: If the fault is not a str.
        :raises ValueError: If operation or fault is unknown, or they cannot be combined, or the
            number is less than 1.
        """
        if not isinstance(fault, str):
            raise TypeError(f"fault must be a str, not {type(fault).__name__}")
        if operation not in (ANY, *OPERATIONS):
            raise ValueError(f"operation must be {ANY}, {', '.join(OPERATIONS)}, not {operation!r}")
        if isinstance(times, bool) or not isinstance(times, int) or times < 1:
            raise ValueError(f"times must be a positive integer, not {times!r}")
        parsed = parse_fault(fault)
        needs_body = parsed.kind in _NEEDS_BODY
        if needs_body and operation in [silent.value for silent in _WITHOUT_BODY]:
            raise ValueError(f"{operation} answers without a body, which {fault!r} needs")
        with self._lock:
            waiting = _Waiting(next(self._count), parsed, Armed(operation, fault, times))
            self._queues.setdefault((operation, needs_body), deque()).append(waiting)

    def take(self, operation: Operation) -> Fault | None:
        """The fault for a request of that operation, which is used up by one."""
        needs = (False,) if operation in _WITHOUT_BODY else (False, True)
        fitting = [(name, need) for name in (ANY, operation.value) for need in needs]
        with self._lock:
            found = [(self._queues[key][0], key) for key in fitting if key in self._queues]
            if not found:
                return None
            first, key = min(found, key=lambda one: one[0].number)
            queue = self._queues[key]
            if first.armed.times > 1:
                queue[0] = first.used_once()
                return first.fault
            queue.popleft()
            if not queue:
                del self._queues[key]
            return first.fault

    def waiting(self) -> list[Armed]:
        with self._lock:
            found = [one for queue in self._queues.values() for one in queue]
        return [one.armed for one in sorted(found, key=lambda one: one.number)]

    def unused(self) -> list[Armed]:
        """The faults that no request took."""
        return [armed for armed in self.waiting() if not armed.used]

    def clear(self) -> None:
        with self._lock:
            self._queues.clear()
