"""When a token is refreshed, what may come of it, and which token is served meanwhile.

Nothing here waits, locks or calls a refresher: that is what the sync and the async credential do,
each in its own way. Times are in Unix seconds.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable
from math import inf, nextafter
from typing import NamedTuple

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from .utils import create_access_token

_LOGGER = logging.getLogger(__name__)

Clock = Callable[[], float]
"""Tells the time."""
Schedule = Callable[[float, float], float]
"""Takes when a token expires and what time it is, and says when the token is to be refreshed."""

# What lives shorter than the margin is refreshed at half of its life, lest it be refreshed over and
# over.
_ON_DEMAND_MARGIN = 2 * 60
_PROACTIVE_MARGIN = 10 * 60
_SHORTEST_DELAY = 1
# As long as tokens live. Timers overflow somewhere beyond.
_LONGEST_DELAY = 24 * 60 * 60
_LONGEST_DELAY_WITHOUT_TOKEN = 60
_LATEST_EXPIRY = 2**63 - 1


def never(expires_on: float, now: float) -> float:
    """The schedule of a token that nothing refreshes."""
    return inf


def on_demand(expires_on: float, now: float) -> float:
    """The schedule of a token that is refreshed when it is asked for."""
    left = expires_on - now
    # When less than the margin is left, and not when exactly so much is left.
    last_minutes = nextafter(expires_on - _ON_DEMAND_MARGIN, inf)
    return last_minutes if left > _ON_DEMAND_MARGIN else now + left / 2


def proactive(expires_on: float, now: float) -> float:
    """The schedule of a token that is refreshed ahead of need."""
    left = expires_on - now
    return expires_on - _PROACTIVE_MARGIN if left > _PROACTIVE_MARGIN else now + left / 2


def always(expires_on: float, now: float) -> float:
    """The schedule of a token whose refresher knows by itself whether there is anything to do."""
    return -inf


class RefreshFailure(NamedTuple):
    """Why there is no new token.

    It is not an exception, because threads that raise the same one mix their tracebacks.
    """

    kind: type[Exception]
    reason: str
    cause: BaseException | None = None

    def exception(self) -> Exception:
        """A new exception, for one of those who have no token now."""
        exception = self.kind(f"{self.reason} There is no valid token to serve.")
        exception.__cause__ = self.cause
        return exception


RefreshOutcome = AccessToken | RefreshFailure
CANCELLED = RefreshFailure(ClientAuthenticationError, "The refresh of the token was cancelled.")


class _Held(NamedTuple):
    token: AccessToken | None
    refresh_at: float
    """From when on whoever asks for the token waits for another one."""
    wake_at: float
    """When a timer goes off to get another one."""


class TokenKeeper:
    """The token of a credential.

    What it holds is one tuple, replaced whole, so that readers need no lock.

    :param token: The token to begin with, if any: see :func:`read_token`.
    :param schedule: When tokens are refreshed.
    :param clock: Tells the time.
    :raises TypeError: The token is not one.
    :raises ValueError: The token has no expiry. The message does not hold the token.
    """

    def __init__(self, token: object, schedule: Schedule, clock: Clock) -> None:
        self._clock = clock
        self._schedule = schedule
        self._failures_without_token = 0
        if token is None:
            self._held = _Held(None, -inf, -inf)
            return
        first = read_token(token)
        # Only of what the refresher returns is it known that another one lives no longer. Whoever
        # asks for this one is served as if it had lived for ever; a timer has no such haste.
        refresh_at = schedule(first.expires_on, -inf)
        self._held = _Held(first, refresh_at, schedule(first.expires_on, clock()))

    def fresh(self) -> AccessToken | None:
        """The token, unless a refresh is due."""
        token, refresh_at, _ = self._held
        now = self._clock()
        if token is None or now >= refresh_at:
            return None
        return token if now < token.expires_on or self._schedule is never else None

    def valid(self) -> AccessToken | None:
        """The token, unless it has expired."""
        token = self._held.token
        return token if token is not None and self._clock() < token.expires_on else None

    def delay(self) -> float:
        """In how many seconds the next refresh is due: from one second to a day."""
        left = self._held.wake_at - self._clock()
        return min(max(left, _SHORTEST_DELAY), _LONGEST_DELAY)

    def take(self, returned: object) -> RefreshOutcome:
        """What becomes of what the refresher returned.

        :param returned: A new token, or so it should be: see :func:`read_token`.
        """
        try:
            token = read_token(returned)
        except (TypeError, ValueError) as error:
            return self._failed(RefreshFailure(type(error), str(error)))
        now = self._clock()
        if token.expires_on <= now:
            ago = f"{now - token.expires_on:.0f} seconds ago"
            return self._failed(
                RefreshFailure(ValueError, f"The refresh brought a token that expired {ago}.")
            )
        self._failures_without_token = 0
        refresh_at = self._schedule(token.expires_on, now)
        self._held = _Held(token, refresh_at, refresh_at)
        return token

    def failed(self, error: BaseException) -> RefreshOutcome:
        """What becomes of what the refresher raised."""
        reason = f"The refresh of the token failed with {type(error).__name__}."
        return self._failed(RefreshFailure(ClientAuthenticationError, reason, error))

    def cancelled(self) -> RefreshOutcome:
        """What becomes of a refresh that was cancelled."""
        # It may well be that the event loop is shut down, which is no reason to warn.
        return self._failed(CANCELLED, logging.INFO)

    def served(self, outcome: RefreshOutcome) -> AccessToken:
        """The token for those who waited for a refresh.

        :raises: Why there is none.
        """
        if isinstance(outcome, AccessToken):
            return outcome
        token = self.valid()
        if token is None:
            raise outcome.exception()
        return token

    def _failed(self, failure: RefreshFailure, level: int = logging.WARNING) -> RefreshFailure:
        token = self._held.token
        now = self._clock()
        left = token.expires_on - now if token is not None else 0
        if left > 0:
            delay = max(left / 2, _SHORTEST_DELAY)
            served = f"The token is valid for {left:.0f} seconds more"
        else:
            # Nothing is gained by haste any more, and the service may be down for long.
            delay = _SHORTEST_DELAY * 2**self._failures_without_token
            delay = min(delay, _LONGEST_DELAY_WITHOUT_TOKEN)
            self._failures_without_token = min(self._failures_without_token + 1, 6)
            served = "There is no valid token"
        self._held = _Held(token, now + delay, now + delay)
        _LOGGER.log(
            level,
            "%s %s; the next refresh is due in %.0f seconds.",
            failure.reason,
            served,
            delay,
            exc_info=failure.cause,
        )
        return failure


def read_token(value: object) -> AccessToken:
    """Reads a token.

    :param value: A JWT, or any token together with its expiry: an ``AccessToken``, an
        ``AccessTokenInfo``, or what looks like them.
    :return: The token, with its expiry in whole Unix seconds.
    :raises TypeError: That is no token, or its expiry is not a number.
    :raises ValueError: The token is a str and not a JWT, or is empty, or its expiry is not a
        time. The message does not hold the token.
    """
    if isinstance(value, str):
        try:
            value = create_access_token(value)
        except ValueError as error:
            raise ValueError(
                f"{error} A token of another kind is passed as an AccessToken, with its expires_on."
            ) from None
    hint = ""
    if isinstance(value, Coroutine):
        value.close()  # lest Python warns that nobody awaited it
        hint = " What is async goes with the credential of azure.communication.identity.aio."
    token, expires_on = getattr(value, "token", None), getattr(value, "expires_on", None)
    if not isinstance(token, str):
        raise TypeError(
            "The token must be a str or an azure.core.credentials.AccessToken, not "
            f"{type(value).__name__}.{hint}"
        )
    if not token:
        raise ValueError("The token is empty.")
    if not isinstance(expires_on, int | float):
        raise TypeError(
            "The expires_on of the token must be a number, in Unix seconds, not "
            f"{type(expires_on).__name__}."
        )
    if not abs(expires_on) <= _LATEST_EXPIRY:
        raise ValueError("The expires_on of the token is not a time.")
    return AccessToken(token, int(expires_on))


def awaitable(value: object) -> Awaitable[object]:
    """Checks what an async refresher or credential returned.

    :raises TypeError: It cannot be awaited.
    """
    if not isawaitable(value):
        raise TypeError(
            f"Expected something to await, such as an async function returns, and got "
            f"{type(value).__name__}. What is not async goes with the credential of "
            "azure.communication.identity."
        )
    return value
