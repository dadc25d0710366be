"""The credential of a user that keeps itself fresh, for threads."""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread, current_thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast, overload
from weakref import ReferenceType, WeakSet, ref

from azure.core.credentials import (
    AccessToken,
    AccessTokenInfo,
    SupportsTokenInfo,
    TokenCredential,
    TokenRequestOptions,
)
from typing_extensions import Self, Unpack

from .credential_arguments import CLOSED, REENTERED, choose_schedule
from .token_refresh import RefreshOutcome, TokenKeeper, always
from .utils import get_current_utc_as_int

if TYPE_CHECKING:
    from .._pipeline.options import ClientOptions

TokenRefresher = Callable[[], AccessToken | AccessTokenInfo | str]


class CommunicationTokenCredential:
    """A credential of a user, for the clients of chat, calling and other communication services.

    It serves one token, and replaces it in time. Many threads may share it: however many of them
    wait for a token, it is refreshed once.

    :param token: The token of the user. May be left out when there is a refresher.
    :type token: str or ~azure.core.credentials.AccessToken or
        ~azure.core.credentials.AccessTokenInfo
    :keyword token_refresher: Returns a new token: ``lambda: client.get_token(user, scopes)``. A
        token that is not a JWT must come with its expiry, as an ``AccessToken``. Called when a
        token is asked for and less than 2 minutes of it are left, or half of its life if it lives
        shorter than that.
    :paramtype token_refresher: ~typing.Callable[[], ~azure.core.credentials.AccessToken or str]
    :keyword bool proactive_refresh: Whether the refresher is called ahead of need, by a thread of
        its own: 10 minutes before the token expires, or at half of its life if it lives shorter.
        Defaults to False.
    :keyword str resource_endpoint: The endpoint of the resource, for a credential that exchanges
        Entra tokens.
    :keyword token_credential: The Entra credential of the user.
    :paramtype token_credential: ~azure.core.credentials.TokenCredential or
        ~azure.core.credentials.SupportsTokenInfo
    :keyword scopes: The scopes of the Entra token, which say what it is exchanged for. Defaults to
        ``["https://communication.azure.com/clients/.default"]``.
    :paramtype scopes: ~collections.abc.Sequence[str]
    :keyword clock: Tells the time, in Unix seconds.
    :paramtype clock: ~typing.Callable[[], float]
    :raises TypeError: An argument is of another type.
    :raises ValueError: The arguments do not go together, or the token is not a JWT and has no
        expiry.

    When a refresh fails, the token is served for as long as it is valid, and the refresh is tried
    again after half of the time that is left, and no sooner than after a second.

    Close a credential that refreshes ahead of need, or use it in a ``with`` statement: closing ends
    its thread. Such a credential serves nothing once it is closed.
    """

    @overload
    def __init__(
        self,
        token: str | AccessToken | AccessTokenInfo,
        *,
        token_refresher: TokenRefresher | None = None,
        proactive_refresh: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        token: None = None,
        *,
        token_refresher: TokenRefresher,
        proactive_refresh: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        *,
        resource_endpoint: str,
        token_credential: TokenCredential | SupportsTokenInfo,
        scopes: Sequence[str] | None = None,
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
        clock: Callable[[], float] | None = None,
        **kwargs: Any,
    ) -> None:
        # Looked up at each call, because tests replace the function in this module.
        tell_time = clock or (lambda: get_current_utc_as_int())
        from_entra = (resource_endpoint, token_credential, scopes)
        schedule = choose_schedule(token, token_refresher, proactive_refresh, from_entra, kwargs)
        if schedule is always:
            from .._pipeline.entra_exchange import EntraExchange  # few programs need it

            token_refresher = EntraExchange(*from_entra, kwargs, tell_time)
        # There is none when nothing is ever due.
        self._refresher = cast(TokenRefresher, token_refresher)
        self._keeper = TokenKeeper(token, schedule, tell_time)
        self._is_proactive = proactive_refresh
        self._is_closed = False
        self._is_timer_shown = False
        self._lock = Lock()
        self._refresh: _Refresh | None = None
        self._alarm: _Alarm | None = None
        _CREDENTIALS.add(self)
        if proactive_refresh:
            self._ensure_timer()

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """Gets the token, refreshed if that is due.

        :param str scopes: Not used, nor are the keywords: the token has the scopes that it was
            issued with. They are there for ``azure.core.credentials.TokenCredential``.
        :return: A token that is valid, and its expiry in Unix seconds. A token that was given
            without a refresher is returned as it is, expired or not.
        :rtype: ~azure.core.credentials.AccessToken
        :raises ~azure.core.exceptions.ClientAuthenticationError: There is no valid token, and the
            refresher raised an exception, which is the cause of this one.
        :raises TypeError: There is no valid token, and the refresher returned none.
        :raises ValueError: There is no valid token, and the refresher returned one that has
            expired.
        :raises RuntimeError: The credential refreshes ahead of need and is closed, or it is the
            refresher that asks.
        """
        return self._current_token()

    def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """Gets the token like :meth:`get_token`, as ``azure.core.credentials.SupportsTokenInfo``
        has it.

        :param str scopes: Not used.
        :keyword options: Not used.
        :paramtype options: ~azure.core.credentials.TokenRequestOptions
        :return: A token that is valid, and its expiry in Unix seconds.
        :rtype: ~azure.core.credentials.AccessTokenInfo
        :raises: What :meth:`get_token` raises.
        """
        return AccessTokenInfo(*self._current_token())

    def close(self) -> None:
        """Ends the thread that refreshes ahead of need.

        A refresh that is under way is not interrupted, and no one waits for it here.
        """
        with self._lock:
            self._is_closed = True
            alarm, self._alarm = self._alarm, None
            refresh = self._refresh
        if alarm is None:
            return
        alarm.cancel()
        refreshes = refresh is not None and refresh.thread is alarm
        if not refreshes and alarm is not current_thread():
            alarm.join()

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
        # Of one that nobody closed. There is no such attribute when its arguments were refused.
        alarm = getattr(self, "_alarm", None)
        if alarm is not None:
            alarm.cancel()

    @property
    def _timer(self) -> "_Alarm | None":
        # What tests that were written for the official package look at. There the timer is set by
        # the first refresh or by a with statement, and not before.
        return self._alarm if self._is_timer_shown else None

    def _current_token(self) -> AccessToken:
        while True:
            if self._is_proactive:
                self._ensure_timer()
            token = self._keeper.fresh()
            if token is not None:
                return token
            refresh, leads = self._lead_or_follow()
            if leads:
                self._run(refresh)
            else:
                token = self._keeper.valid()
                if token is not None:
                    return token
                if refresh.thread is current_thread():
                    raise RuntimeError(REENTERED)
            try:
                outcome = refresh.result()
            except CancelledError:
                # The thread that refreshed was interrupted. This one takes its place.
                continue
            return self._keeper.served(outcome)

    def _lead_or_follow(self) -> "tuple[_Refresh, bool]":
        """The refresh that is under way, or a new one, which the caller is to run."""
        with self._lock:
            if self._refresh is not None:
                return self._refresh, False
            self._refresh = _Refresh()
            return self._refresh, True

    def _run(self, refresh: "_Refresh") -> None:
        outcome = None
        try:
            outcome = self._outcome()
        finally:
            with self._lock:
                if self._refresh is refresh:
                    self._refresh = None
                    if self._is_proactive and not self._is_closed:
                        self._set_alarm()
                        self._is_timer_shown = True
            if outcome is None:
                refresh.cancel()
            else:
                refresh.set_result(outcome)

    def _outcome(self) -> RefreshOutcome:
        # Another refresh may have ended since the token was found to be due.
        token = self._keeper.fresh()
        if token is not None:
            return token
        try:
            returned = self._refresher()
        except Exception as error:  # noqa: BLE001 - it is logged, and raised where it matters
            return self._keeper.failed(error)
        return self._keeper.take(returned)

    def _ensure_timer(self) -> None:
        if self._is_closed:
            raise RuntimeError(CLOSED)
        if self._alarm is None:
            with self._lock:
                if self._alarm is None and not self._is_closed:
                    self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        alarm = _Alarm(self._keeper.delay(), ref(self))
        try:
            alarm.start()
        except RuntimeError:
            # Too many threads, or the interpreter is shutting down. The next call tries again.
            self._alarm = None
        else:
            self._alarm = alarm

    def _refresh_ahead(self, alarm: "_Alarm") -> None:
        with self._lock:
            if self._alarm is not alarm:
                return  # closed, or another one was set
            if self._refresh is not None:
                return  # at the end of which the alarm is set
            if self._keeper.fresh() is not None:
                # The clock was put back, or the time was longer than timers can wait.
                self._set_alarm()
                return
            refresh = self._refresh = _Refresh()
        self._run(refresh)

    def _forget_threads(self) -> None:
        # In a child process, where there are none of them, whatever they had under way.
        self._lock = Lock()
        self._refresh = None
        self._alarm = None


class _Refresh(Future[RefreshOutcome]):
    """A refresh that is under way, for others to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.thread = current_thread()


class _Alarm(Thread):
    """A timer that does not keep its credential alive, and may be cancelled from anywhere.

    That is why it is no ``threading.Timer``, whose lock must not be taken in ``__del__``, where the
    same thread may have it already. A ``SimpleQueue`` may be used there.
    """

    def __init__(
        self, interval: float, credential: "ReferenceType[CommunicationTokenCredential]"
    ) -> None:
        super().__init__(name="CommunicationTokenCredential", daemon=True)
        self.interval = interval
        self._credential = credential
        self._cancelled: SimpleQueue[bool] = SimpleQueue()

    def cancel(self) -> None:
        self._cancelled.put(True)

    def run(self) -> None:
        is_cancelled = False
        with suppress(Empty):
            is_cancelled = self._cancelled.get(timeout=self.interval)
        credential = None if is_cancelled else self._credential()
        if credential is not None:
            credential._refresh_ahead(self)


_CREDENTIALS: "WeakSet[CommunicationTokenCredential]" = WeakSet()


def _forget_threads_of_parent() -> None:
    for credential in _CREDENTIALS:
        credential._forget_threads()


if sys.platform != "win32":  # pragma: no branch
    os.register_at_fork(after_in_child=_forget_threads_of_parent)
