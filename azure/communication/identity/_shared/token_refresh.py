"""When a token is refreshed, what a refresh results in, and which token is served meanwhile.

Nothing here waits or calls a refresher: the sync and the async credential do. Nothing here holds a
lock: a signal handler, or a destructor, may run at any point and use the same credential. Times
are in Unix seconds.
"""

import logging
import os
import sys
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from math import inf, nextafter
from typing import NamedTuple
from weakref import ReferenceType, ref

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from .tokens import AsyncMismatchError, read_token

_LOGGER = logging.getLogger(__name__)

Clock = Callable[[], float]
"""Returns the current time."""
Schedule = Callable[[float, float], float]
"""Takes the expiry of a token and the current time, and returns the time of its refresh."""

# Tokens that expire within the margin are refreshed at half-life, to avoid a refresh loop.
_ON_DEMAND_MARGIN = 2 * 60
_PROACTIVE_MARGIN = 10 * 60
_SHORTEST_DELAY = 1
# The longest life of a token of the service.
_LONGEST_DELAY = 24 * 60 * 60
_LONGEST_PAUSE = 60
OPAQUE_TOKEN_LIFETIME = timedelta(minutes=10)

CLOSED = "An instance of CommunicationTokenCredential cannot be reused once it has been closed."
"""The message of the official package, which programs compare."""
REENTERED = (
    "The refresh of a CommunicationTokenCredential asked the same credential for a token, and "
    "would wait for itself. Get the token from the client in token_refresher, not from the "
    "credential."
)


def never(expires_on: float, now: float) -> float:
    """The schedule of a token without a refresher."""
    return inf


def on_demand(expires_on: float, now: float) -> float:
    """The schedule of a token that is refreshed when a caller asks for it."""
    left = expires_on - now
    # Due when less than the margin is left, not when exactly the margin is left.
    last_minutes = nextafter(expires_on - _ON_DEMAND_MARGIN, inf)
    return last_minutes if left > _ON_DEMAND_MARGIN else now + left / 2


def proactive(expires_on: float, now: float) -> float:
    """The schedule of a token that is refreshed ahead of need."""
    left = expires_on - now
    return expires_on - _PROACTIVE_MARGIN if left > _PROACTIVE_MARGIN else now + left / 2


def half_life(expires_on: float, now: float) -> float:
    """The schedule of a token whose expiry is assumed."""
    return now + (expires_on - now) / 2


def always(expires_on: float, now: float) -> float:
    """The schedule of a token whose refresher decides by itself whether a refresh is due."""
    return -inf


class RefreshFailure(NamedTuple):
    """Why there is no new token.

    Not an exception: threads that raise the same exception mix their tracebacks.
    """

    kind: type[Exception]
    message: str
    cause: BaseException | None = None

    def exception(self) -> Exception:
        """A new exception, for one caller."""
        exception = self.kind(self.message)
        exception.__cause__ = self.cause
        return exception


RefreshOutcome = AccessToken | RefreshFailure
CREDENTIAL_CLOSED = RefreshFailure(RuntimeError, CLOSED)
REFRESH_CANCELLED = RefreshFailure(
    ClientAuthenticationError,
    "The refresh of the token was cancelled. There is no valid token to serve.",
)


class Refresh:
    """A refresh that is under way: one caller leads it, others wait for it."""

    def __init__(self) -> None:
        self.outcome: RefreshOutcome | None = None
        """None while the refresh runs, and if it was interrupted."""
        self.is_over = False

    def enter(self) -> None:
        """Marks the current context, and the tasks that start in it, as part of this refresh."""
        outer = [each for each in _ENTERED.get() if (refresh := each()) and not refresh.is_over]
        _ENTERED.set((*outer, ref(self)))

    def is_entered(self) -> bool:
        """Whether the current context is part of this refresh, and must not wait for it."""
        return any(refresh() is self for refresh in _ENTERED.get())


# Weak: a refresher may keep a copy of its context, and run every later refresh in it.
_ENTERED: ContextVar[tuple[ReferenceType[Refresh], ...]] = ContextVar("_ENTERED", default=())


class _Held(NamedTuple):
    token: AccessToken | None
    refresh_at: float
    """Callers start or await a refresh from this time on."""
    wake_at: float
    """The time at which a timer starts a refresh."""
    failure: RefreshFailure | None = None
    """Why the last refresh failed. None if it succeeded."""


class TokenKeeper:
    """The token of a credential.

    Its state is one tuple, which a single assignment replaces.

    :param token: The first token, if any: see :func:`~.tokens.read_token`.
    :param schedule: When tokens are refreshed.
    :param clock: Returns the current time.
    :param opaque_lifetime: The assumed lifetime of a token whose expiry cannot be read.
    :raises TypeError: If the token is not a token.
    :raises ValueError: If the token is malformed. The message does not contain the token.
    """

    def __init__(
        self,
        token: object,
        schedule: Schedule,
        clock: Clock,
        opaque_lifetime: timedelta = OPAQUE_TOKEN_LIFETIME,
    ) -> None:
        self._clock = clock
        self._schedule = schedule
        self._opaque_lifetime = opaque_lifetime.total_seconds()
        self._pause: float = _SHORTEST_DELAY
        self._held = _Held(None, -inf, -inf)
        if token is not None:
            now = clock()
            first, expiry_schedule = self._read(token, now)
            # The lifetime of the first token says nothing about the refresher's tokens: callers
            # get it until the margin begins, however short it lives. The timer keeps to half-life.
            since = -inf if expiry_schedule is schedule else now
            self._held = _Held(
                first,
                expiry_schedule(first.expires_on, since),
                expiry_schedule(first.expires_on, now),
            )

    def current(self) -> RefreshOutcome | None:
        """The outcome for a caller who asks now. None if a refresh is due."""
        token, refresh_at, _, failure = self._held
        now = self._clock()
        if token is not None and (now < token.expires_on or self._schedule is never):
            return token if now < refresh_at else None
        # A longer pause than any means that the clock was put back.
        return failure if 0 < refresh_at - now <= _LONGEST_PAUSE else None

    def valid(self) -> AccessToken | None:
        """The token, unless it has expired."""
        token = self._held.token
        return token if token is not None and self._clock() < token.expires_on else None

    def delay(self) -> float:
        """The seconds until the next refresh: from one second to a day."""
        left = self._held.wake_at - self._clock()
        return min(max(left, _SHORTEST_DELAY), _LONGEST_DELAY)

    def take(self, returned: object) -> RefreshOutcome:
        """Takes what the refresher returned.

        :param returned: A new token: see :func:`~.tokens.read_token`.
        """
        now = self._clock()
        try:
            token, schedule = self._read(returned, now)
        except (TypeError, ValueError) as error:
            return self._failed(type(error), str(error))
        if token.expires_on <= now:
            ago = f"{now - token.expires_on:.0f} seconds ago"
            return self._failed(ValueError, f"The refresh returned a token that expired {ago}")
        self._pause = _SHORTEST_DELAY
        refresh_at = schedule(token.expires_on, now)
        self._held = _Held(token, refresh_at, refresh_at)
        return token

    def failed(self, error: Exception) -> RefreshOutcome:
        """Takes what the refresher raised."""
        if isinstance(error, AsyncMismatchError):
            return self._failed(AsyncMismatchError, str(error))
        reason = f"The refresh of the token failed with {type(error).__name__}"
        return self._failed(ClientAuthenticationError, reason, error)

    def cancelled(self) -> RefreshOutcome:
        """Takes note that the refresh was cancelled.

        The event loop may be shutting down: without a valid token, the next caller refreshes at
        once, perhaps in another loop.
        """
        if self.valid() is None:
            return REFRESH_CANCELLED
        reason = "The refresh of the token was cancelled"
        return self._failed(ClientAuthenticationError, reason, level=logging.INFO)

    def served(self, outcome: RefreshOutcome) -> AccessToken:
        """The token for a caller who got an outcome.

        :raises Exception: If there is no valid token: the exception of the failure.
        """
        if isinstance(outcome, AccessToken):
            return outcome
        token = self.valid()
        if token is None:
            raise outcome.exception()
        return token

    def _read(self, value: object, now: float) -> tuple[AccessToken, Schedule]:
        token, expires_on = read_token(value)
        if expires_on is not None:
            return AccessToken(token, expires_on), self._schedule
        _warn_of_opaque_tokens(self._opaque_lifetime)
        schedule = never if self._schedule is never else half_life
        return AccessToken(token, int(now + self._opaque_lifetime)), schedule

    def _failed(
        self,
        kind: type[Exception],
        reason: str,
        cause: Exception | None = None,
        level: int = logging.WARNING,
    ) -> RefreshFailure:
        token, _, _, previous = self._held
        now = self._clock()
        left = token.expires_on - now if token is not None else 0
        if left > 0:
            pause = max(left / 2, _SHORTEST_DELAY)
            served = f"The token is valid for {left:.0f} seconds more"
        else:
            # The service may be down for long.
            pause = min(self._pause, _LONGEST_PAUSE)
            self._pause = 2 * pause
            served = "There is no valid token"
        reason = reason.rstrip(".")
        failure = RefreshFailure(kind, f"{reason}. There is no valid token to serve.", cause)
        self._held = _Held(token, now + pause, now + pause, failure)
        detail = "" if cause is None else str(cause).partition("\n")[0]
        # Compared without the detail, which may hold the id of a request.
        is_repeated = previous is not None and previous.message == failure.message
        _LOGGER.log(
            level,
            "%s%s. %s; the next refresh is due in %g seconds.",
            reason,
            f" ({detail})" if detail else "",
            served,
            round(pause, 1),
            # While the interpreter shuts down, logging fails to format a traceback.
            exc_info=None if is_repeated or sys.is_finalizing() else cause,
        )
        return failure


def _warn_of_opaque_tokens(lifetime: float) -> None:
    global _warned_in_process
    if _warned_in_process == os.getpid():
        return
    _warned_in_process = os.getpid()
    _LOGGER.warning(
        "The expiry of a token cannot be read. Such tokens are assumed to be valid for %g seconds, "
        "and refreshed after half of that. Pass them as an AccessToken with their expires_on, or "
        "set opaque_token_lifetime. This is logged once per process.",
        lifetime,
    )


_warned_in_process: int | None = None
