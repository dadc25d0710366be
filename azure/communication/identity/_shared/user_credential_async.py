"""The user credential that refreshes itself, for asyncio."""

import asyncio
from asyncio import Task
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast, overload

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from typing_extensions import Self, Unpack

from .credential_arguments import check_values, choose_schedule
from .task_refresh import LoopTimer, TaskRefresh, running_loop
from .token_refresh import (
    CLOSED,
    OPAQUE_TOKEN_LIFETIME,
    REENTERED,
    REFRESH_CANCELLED,
    RefreshOutcome,
    TokenKeeper,
    always,
)
from .tokens import awaitable, refuse_sync
from .utils import current_time as get_current_utc_as_int

if TYPE_CHECKING:
    from .._pipeline.options import AsyncClientOptions

TokenRefresher = Callable[[], Awaitable[AccessToken | AccessTokenInfo | str]]


class CommunicationTokenCredential:
    """A user credential that refreshes itself, for the async clients of chat, calling and other
    communication services: it runs on asyncio, also through anyio, and not on trio.

    The credential serves a token, and replaces it before it expires. Tasks may share the
    credential: the token is refreshed once for all of them, also if one of them is cancelled. The
    credential may be created outside of an event loop, and used in one after the other.

    :param token: The token of the user. May be omitted if there is a refresher. The expiry is read
        from a JWT. A str without a legible expiry, such as an encrypted JWT, is an opaque token:
        see `opaque_token_lifetime`.
    :type token: str or ~azure.core.credentials.AccessToken or
        ~azure.core.credentials.AccessTokenInfo
    :keyword token_refresher: A function that returns an awaitable of a new token, such as
        ``lambda: client.get_token(user, scopes)``. It is called when a task asks for the token and
        less than 2 minutes are left, 10 with `proactive_refresh`, or less than half of the shorter
        lifetime of a token that it returned.
    :paramtype token_refresher: ~typing.Callable[[], ~typing.Awaitable[
        ~azure.core.credentials.AccessToken or ~azure.core.credentials.AccessTokenInfo or str]]
    :keyword bool proactive_refresh: Whether a background task calls the refresher ahead of need:
        10 minutes before the token expires, or at half of a shorter lifetime. Defaults to False.
        The task starts with the first use of the credential.
    :keyword str resource_endpoint: The endpoint of the resource, to exchange Entra tokens.
    :keyword token_credential: The Entra credential of the user.
    :paramtype token_credential: ~azure.core.credentials_async.AsyncTokenCredential or
        ~azure.core.credentials_async.AsyncSupportsTokenInfo
    :keyword scopes: The scopes of the Entra token, which decide what it is exchanged for. Defaults
        to ``["https://communication.azure.com/clients/.default"]``.
    :paramtype scopes: ~collections.abc.Sequence[str]
    :keyword ~datetime.timedelta opaque_token_lifetime: The assumed lifetime of an opaque token,
        from a second to a day. The token is refreshed after half of it. Defaults to 10 minutes.
        Pass or return an ``AccessToken`` with its ``expires_on`` if the expiry is known.
    :keyword clock: Returns the current time, in Unix seconds.
    :paramtype clock: ~typing.Callable[[], float]
    :raises TypeError: If an argument has the wrong type, an option is unknown, or the Entra
        credential is not async.
    :raises ValueError: If the arguments exclude each other, or the token is malformed.

    If a refresh fails, the current token is served until it expires, and the next refresh is tried
    after half of the remaining time, at least a second. Without a valid token, the failure is
    raised to all callers for a second, then the refresher is called again. The pause doubles with
    each failure, up to a minute.

    Close a credential that refreshes ahead of need, or use it in an ``async with`` statement. A
    closed one serves no tokens.
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
        token_credential: AsyncTokenCredential | AsyncSupportsTokenInfo,
        scopes: Sequence[str] | None = None,
        opaque_token_lifetime: timedelta = OPAQUE_TOKEN_LIFETIME,
        clock: Callable[[], float] | None = None,
        **kwargs: "Unpack[AsyncClientOptions]",
    ) -> None: ...

    def __init__(
        self,
        token: str | AccessToken | AccessTokenInfo | None = None,
        *,
        token_refresher: TokenRefresher | None = None,
        proactive_refresh: bool = False,
        resource_endpoint: str | None = None,
        token_credential: AsyncTokenCredential | AsyncSupportsTokenInfo | None = None,
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
        refuse_sync("token_credential", token_credential)
        if schedule is always:
            from .._pipeline.entra_exchange_async import AsyncEntraExchange  # few programs need it

            token_refresher = AsyncEntraExchange(*from_entra, kwargs, tell_time)
        self._refresher = token_refresher
        self._keeper = TokenKeeper(token, schedule, tell_time, opaque_token_lifetime)
        self._is_proactive = proactive_refresh
        self._is_closed = False
        self._refresh: TaskRefresh | None = None
        # Started when there is a loop to start it in.
        self._timer = (
            LoopTimer(self._keeper.delay(), self._refresh_ahead) if proactive_refresh else None
        )

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """Gets the token, after a refresh if one is due.

        :param str scopes: Not used, nor are the keywords: the token has the scopes that it was
            issued with. They are part of ``azure.core.credentials_async.AsyncTokenCredential``.
        :return: A valid token, and its expiry in Unix seconds. Without a refresher, the token of
            the constructor, expired or not.
        :rtype: ~azure.core.credentials.AccessToken
        :raises ~azure.core.exceptions.ClientAuthenticationError: If there is no valid token and the
            refresher raised an exception, which is the ``__cause__``.
        :raises TypeError: If there is no valid token and the refresher is not async, or returned
            another type.
        :raises ValueError: If there is no valid token and the refresher returned a malformed or
            expired one.
        :raises RuntimeError: If the credential is closed and refreshes ahead of need, if it is
            closed while the call waits for a refresh, if the call is part of that refresh, or if
            the credential has a refresher and asyncio is not running.
        """
        return await self._current_token()

    async def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """Gets the token like :meth:`get_token`, as
        ``azure.core.credentials_async.AsyncSupportsTokenInfo`` requires it.

        :param str scopes: Not used.
        :keyword options: Not used.
        :paramtype options: ~azure.core.credentials.TokenRequestOptions
        :return: A valid token, and its expiry in Unix seconds.
        :rtype: ~azure.core.credentials.AccessTokenInfo
        :raises Exception: As :meth:`get_token` does.
        """
        return AccessTokenInfo(*await self._current_token())

    async def close(self) -> None:
        """Stops refreshing ahead of need, and cancels a refresh that is under way.

        Callers that wait for the refresh get a RuntimeError. Without ``proactive_refresh``, the
        credential can still be used.
        """
        self._is_closed = True
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        refresh = self._refresh
        # A refresher may close its own credential.
        if refresh is not None and not refresh.is_over and not refresh.is_entered():
            await refresh.close()

    async def __aenter__(self) -> Self:
        if self._is_proactive:
            self._ensure_timer()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    async def _current_token(self) -> AccessToken:
        if self._refresher is not None:
            running_loop()  # also if no refresh is due: an error after an hour is harder to find
        if self._is_proactive:
            self._ensure_timer()
        outcome = self._keeper.current()
        if outcome is None:
            outcome = await self._refreshed()
        return self._keeper.served(outcome)

    async def _refreshed(self) -> RefreshOutcome:
        """Refreshes the token, or waits for the refresh that is under way in this loop."""
        refresh = self._refresh
        if refresh is None or not refresh.is_under_way():
            refresh = self._start_refresh()
        else:
            token = self._keeper.valid()
            if token is not None:
                return token
            if refresh.is_entered():
                raise RuntimeError(REENTERED)
        # A caller may be cancelled: the refresh continues for the others.
        await asyncio.wait([refresh.done])
        return cast(RefreshOutcome, refresh.outcome)

    def _start_refresh(self) -> TaskRefresh:
        refresh = TaskRefresh()
        try:
            # Before the task starts: an eager task runs at once, up to where it waits.
            self._refresh = refresh
            refresh.task = refresh.loop.create_task(self._run(refresh))
            refresh.task.add_done_callback(partial(self._finish, refresh))
        except BaseException:  # an exception of a signal handler: nobody waits for the task
            refresh.end(REFRESH_CANCELLED)
            raise
        return refresh

    async def _run(self, refresh: TaskRefresh) -> None:
        refresh.enter()
        try:
            refresh.end(await self._outcome())
        except asyncio.CancelledError:
            if not refresh.is_over:  # otherwise close has cancelled the task
                refresh.end(self._keeper.cancelled())
            raise

    def _finish(self, refresh: TaskRefresh, task: "Task[None]") -> None:
        refresh.end(REFRESH_CANCELLED)  # unless it has ended
        if self._is_proactive and not self._is_closed:
            self._set_timer()

    async def _outcome(self) -> RefreshOutcome:
        # Another loop may have refreshed the token since the refresh was found to be due.
        outcome = self._keeper.current()
        if outcome is not None:
            return outcome
        try:
            returned = await awaitable("token_refresher", cast(TokenRefresher, self._refresher)())
        except Exception as error:  # noqa: BLE001 - logged, and raised to the callers
            return self._keeper.failed(error)
        return self._keeper.take(returned)

    def _ensure_timer(self) -> None:
        if self._is_closed:
            raise RuntimeError(CLOSED)
        if self._timer is None or self._timer.is_lost():
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = LoopTimer(self._keeper.delay(), self._refresh_ahead)
        self._timer.start()

    def _refresh_ahead(self, timer: LoopTimer) -> None:
        if self._timer is not timer:
            return  # another loop has set a timer
        if self._refresh is not None and self._refresh.is_under_way():
            return  # the timer is set at its end
        if self._keeper.current() is not None:
            # The clock was put back, or the delay was longer than a timer waits.
            self._set_timer()
            return
        self._start_refresh()
