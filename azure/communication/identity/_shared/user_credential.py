"""The user credential that refreshes itself, for threads."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast, overload

from azure.core.credentials import (
    AccessToken,
    AccessTokenInfo,
    SupportsTokenInfo,
    TokenCredential,
    TokenRequestOptions,
)
from typing_extensions import Self, Unpack

from .credential_arguments import check_values, choose_schedule
from .refresh_timer import Alarm
from .thread_refresh import ThreadRefresh
from .token_refresh import (
    CLOSED,
    CREDENTIAL_CLOSED,
    OPAQUE_TOKEN_LIFETIME,
    RefreshOutcome,
    TokenKeeper,
    always,
)
from .tokens import refuse_async
from .utils import current_time as get_current_utc_as_int

if TYPE_CHECKING:
    from .._pipeline.options import ClientOptions

TokenRefresher = Callable[[], AccessToken | AccessTokenInfo | str]


class CommunicationTokenCredential:
    """A user credential that refreshes itself, for the clients of chat, calling and other
    communication services.

    The credential serves a token, and replaces it before it expires. Threads may share the
    credential: one refreshes the token, the others wait.

    :param token: The token of the user. May be omitted if there is a refresher. The expiry is read
        from a JWT. A str without a legible expiry, such as an encrypted JWT, is an opaque token:
        see `opaque_token_lifetime`.
    :type token: str or ~azure.core.credentials.AccessToken or
        ~azure.core.credentials.AccessTokenInfo
    :keyword token_refresher: A function that returns a new token, such as
        ``lambda: client.get_token(user, scopes)``. It is called when a thread asks for the token
        and less than 2 minutes are left, 10 with `proactive_refresh`, or less than half of the
        shorter lifetime of a token that it returned.
    :paramtype token_refresher: ~typing.Callable[[], ~azure.core.credentials.AccessToken or
        ~azure.core.credentials.AccessTokenInfo or str]
    :keyword bool proactive_refresh: Whether a background thread calls the refresher ahead of need:
        10 minutes before the token expires, or at half of a shorter lifetime. Defaults to False.
    :keyword str resource_endpoint: The endpoint of the resource, to exchange Entra tokens.
    :keyword token_credential: The Entra credential of the user.
    :paramtype token_credential: ~azure.core.credentials.TokenCredential or
        ~azure.core.credentials.SupportsTokenInfo
    :keyword scopes: The scopes of the Entra token, which decide what it is exchanged for. Defaults
        to ``["https://communication.azure.com/clients/.default"]``.
    :paramtype scopes: ~collections.abc.Sequence[str]
    :keyword ~datetime.timedelta opaque_token_lifetime: The assumed lifetime of an opaque token,
        from a second to a day. The token is refreshed after half of it. Defaults to 10 minutes.
        Pass or return an ``AccessToken`` with its ``expires_on`` if the expiry is known.
    :keyword clock: Returns the current time, in Unix seconds.
    :paramtype clock: ~typing.Callable[[], float]
    :raises TypeError: If an argument has the wrong type, an option is unknown, or the refresher or
        the Entra credential is async.
    :raises ValueError: If the arguments exclude each other, or the token is malformed.

    If a refresh fails, the current token is served until it expires, and the next refresh is tried
    after half of the remaining time, at least a second. Without a valid token, the failure is
    raised to all callers for a second, then the refresher is called again. The pause doubles with
    each failure, up to a minute.

    Close a credential that refreshes ahead of need, or use it in a ``with`` statement. A
    closed one serves no tokens. One thread waits for all such credentials of a process.
    """

    @overload
    def __init__(
        self,
        token: str | AccessToken | AccessTokenInfo,
        *,
        token_refresher: TokenRefresher | None = None,
        proactive_refresh: bool = False,
        opaque_token_lifetime: timedelta = OPAQUE_TOKEN_LIFETIME,
        clock: Callable[[], float] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        token: None = None,
        *,
        token_refresher: TokenRefresher,
        proactive_refresh: bool = False,
        opaque_token_lifetime: timedelta = OPAQUE_TOKEN_LIFETIME,
        clock: Callable[[], float] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        *,
        resource_endpoint: str,
        token_credential: TokenCredential | SupportsTokenInfo,
        scopes: Sequence[str] | None = None,
        opaque_token_lifetime: timedelta = OPAQUE_TOKEN_LIFETIME,
        clock: Callable[[], float] | None = None,
        **kwargs: "Unpack[ClientOptions]",
    ) -> None: ...

    def __init__(
        self,
        token: str | AccessToken | AccessTokenInfo | None = None,
        *,
        token_refresher: TokenRefresher | None = None,
        proactive_refresh: bool = False,
        resource_endpoint: str | None = None,
        token_credential: TokenCredential | SupportsTokenInfo | None = None,
        scopes: Sequence[str] | None = None,
        opaque_token_lifetime: timedelta = OPAQUE_TOKEN_LIFETIME,
        clock: Callable[[], float] | None = None,
        **kwargs: Any,
    ) -> None:
        # Looked up at each call: tests replace the function in this module, by its name in 1.5.0.
        tell_time = clock or (lambda: get_current_utc_as_int())
        from_entra = (resource_endpoint, token_credential, scopes)
        schedule = choose_schedule(token, token_refresher, proactive_refresh, from_entra, kwargs)
        check_values(clock, opaque_token_lifetime)
        refuse_async("token_refresher", token_refresher)
        refuse_async("token_credential", token_credential)
        if schedule is always:
            from .._pipeline.entra_exchange import EntraExchange  # few programs need it

            token_refresher = EntraExchange(*from_entra, kwargs, tell_time)
        # None if the token is never refreshed.
        self._refresher = cast(TokenRefresher, token_refresher)
        self._keeper = TokenKeeper(token, schedule, tell_time, opaque_token_lifetime)
        self._is_proactive = proactive_refresh
        self._is_closed = False
        self._is_timer_shown = False
        self._refresh = ThreadRefresh()
        self._refresh.is_over = True
        self._alarms: list[Alarm] = []
        if proactive_refresh:
            self._ensure_timer()

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """Gets the token, after a refresh if one is due.

        :param str scopes: Not used, nor are the keywords: the token has the scopes that it was
            issued with. They are part of ``azure.core.credentials.TokenCredential``.
        :return: A valid token, and its expiry in Unix seconds. Without a refresher, the token of
            the constructor, expired or not.
        :rtype: ~azure.core.credentials.AccessToken
        :raises ~azure.core.exceptions.ClientAuthenticationError: If there is no valid token and the
            refresher raised an exception, which is the ``__cause__``.
        :raises TypeError: If there is no valid token and the refresher returned another type.
        :raises ValueError: If there is no valid token and the refresher returned a malformed or
            expired one.
        :raises RuntimeError: If the credential is closed and refreshes ahead of need, if it is
            closed while the call waits for a refresh, or if the call is part of that refresh.
        """
        return self._current_token()

    def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """Gets the token like :meth:`get_token`, as ``azure.core.credentials.SupportsTokenInfo``
        requires it.

        :param str scopes: Not used.
        :keyword options: Not used.
        :paramtype options: ~azure.core.credentials.TokenRequestOptions
        :return: A valid token, and its expiry in Unix seconds.
        :rtype: ~azure.core.credentials.AccessTokenInfo
        :raises Exception: As :meth:`get_token` does.
        """
        return AccessTokenInfo(*self._current_token())

    def close(self) -> None:
        """Stops refreshing ahead of need.

        Callers that wait for a refresh get a RuntimeError at once. The refresher itself is not
        interrupted. Without ``proactive_refresh``, the credential can still be used.
        """
        self._is_closed = True
        self._cancel_alarms(list(self._alarms))
        refresh = self._refresh
        if not refresh.is_done():
            refresh.outcome = CREDENTIAL_CLOSED
            refresh.is_over = True
            refresh.wake_callers()

    def __enter__(self) -> Self:
        if self._is_proactive:
            self._ensure_timer()
            self._is_timer_shown = True
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # Safety net for unclosed credentials. The attribute is missing if __init__ raised.
        if hasattr(self, "_alarms"):
            self._cancel_alarms(list(self._alarms))

    @property
    def _alarm(self) -> Alarm | None:
        """The last alarm that was set."""
        return next(reversed(self._alarms), None)

    @property
    def _timer(self) -> Alarm | None:
        # Tests of the official package read it. There, the first refresh or a with statement sets
        # the timer.
        return self._alarm if self._is_timer_shown else None

    def _current_token(self) -> AccessToken:
        if self._is_proactive:
            self._ensure_timer()
        outcome = self._keeper.current()
        while outcome is None:
            outcome = self._refreshed()
        return self._keeper.served(outcome)

    def _refreshed(self) -> RefreshOutcome | None:
        """Refreshes the token, or waits for the thread that does.

        :return: The outcome. None if the refresh of the other thread was interrupted.
        """
        own = ThreadRefresh()
        refresh: ThreadRefresh | None = None
        try:
            refresh = self._lead_or_follow(own)
            if refresh is not own:
                return self._keeper.valid() or refresh.wait()
            own.outcome = outcome = copy_context().run(self._outcome, own)
            return outcome
        finally:
            # First, and without a call: an exception of a signal handler is raised after a call.
            own.is_over = True
            own.wake_callers()
            if refresh is own and self._is_proactive:
                self._set_alarm()
                self._is_timer_shown = True

    def _lead_or_follow(self, own: ThreadRefresh) -> ThreadRefresh:
        """The refresh that is under way: the caller's own if no other thread has one."""
        refresh = self._refresh
        while refresh.is_done():
            # Atomic: each refresh has one successor.
            refresh = self._refresh = refresh.successor.setdefault("", own)
        return refresh

    def _outcome(self, own: ThreadRefresh) -> RefreshOutcome:
        own.enter()
        # Another refresh may have ended since this one was found to be due.
        outcome = self._keeper.current()
        if outcome is not None:
            return outcome
        try:
            returned = self._refresher()
        except Exception as error:  # noqa: BLE001 - logged, and raised to the callers
            return self._keeper.failed(error)
        return self._keeper.take(returned)

    def _ensure_timer(self) -> None:
        if self._is_closed:
            raise RuntimeError(CLOSED)
        alarm = self._alarm
        # The end of a refresh sets an alarm.
        if (alarm is None or alarm.is_lost()) and self._refresh.is_done():
            self._set_alarm()

    def _set_alarm(self) -> None:
        earlier = list(self._alarms)
        alarm = Alarm(self._keeper.delay(), self._refresh_ahead)
        self._alarms.append(alarm)
        if self._is_closed or not alarm.start():
            earlier = list(self._alarms)  # the next call tries again
        self._cancel_alarms(earlier)

    def _cancel_alarms(self, alarms: list[Alarm]) -> None:
        for alarm in alarms:
            alarm.cancel()
            with suppress(ValueError):  # another thread was faster
                self._alarms.remove(alarm)

    def _refresh_ahead(self, alarm: Alarm) -> None:
        if alarm.is_cancelled:
            return
        try:
            # Not due if the clock was put back, or the delay was longer than a timer waits.
            if self._keeper.current() is None:
                self._refreshed()
        finally:
            if not alarm.is_cancelled:
                self._set_alarm()
