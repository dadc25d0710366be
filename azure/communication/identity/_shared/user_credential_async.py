"""The credential of a user that keeps itself fresh, for event loops."""

import asyncio
from asyncio import AbstractEventLoop, Task, TimerHandle
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast, overload
from weakref import ReferenceType, ref

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from typing_extensions import Self, Unpack

from .credential_arguments import CLOSED, REENTERED, choose_schedule
from .token_refresh import CANCELLED, RefreshOutcome, TokenKeeper, always, awaitable
from .utils import get_current_utc_as_int

if TYPE_CHECKING:
    from .._pipeline.options import AsyncClientOptions

TokenRefresher = Callable[[], Awaitable[AccessToken | AccessTokenInfo | str]]


class CommunicationTokenCredential:
    """A credential of a user, for the async clients of chat, calling and other communication
    services.

    It serves one token, and replaces it in time. Many tasks may share it: however many of them wait
    for a token, it is refreshed once, and goes on being refreshed if one of them is cancelled. It
    belongs to no event loop: it may be made outside of one, and be used in one after the other.

    :param token: The token of the user. May be left out when there is a refresher.
    :type token: str or ~azure.core.credentials.AccessToken or
        ~azure.core.credentials.AccessTokenInfo
    :keyword token_refresher: Returns a new token when it is awaited:
        ``lambda: client.get_token(user, scopes)``. A token that is not a JWT must come with its
        expiry, as an ``AccessToken``. Called when a token is asked for and less than 2 minutes of
        it are left, or half of its life if it lives shorter than that.
    :paramtype token_refresher: ~typing.Callable[[],
        ~typing.Awaitable[~azure.core.credentials.AccessToken or str]]
    :keyword bool proactive_refresh: Whether the refresher is called ahead of need, in a task of its
        own: 10 minutes before the token expires, or at half of its life if it lives shorter.
        Defaults to False. That begins when the credential is first used.
    :keyword str resource_endpoint: The endpoint of the resource, for a credential that exchanges
        Entra tokens.
    :keyword token_credential: The Entra credential of the user.
    :paramtype token_credential: ~azure.core.credentials_async.AsyncTokenCredential or
        ~azure.core.credentials_async.AsyncSupportsTokenInfo
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

    Close a credential that refreshes ahead of need, or use it in an ``async with`` statement. Such
    a credential serves nothing once it is closed.
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
        token_credential: AsyncTokenCredential | AsyncSupportsTokenInfo,
        scopes: Sequence[str] | None = None,
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
        clock: Callable[[], float] | None = None,
        **kwargs: Any,
    ) -> None:
        # Looked up at each call, because tests replace the function in this module.
        tell_time = clock or (lambda: get_current_utc_as_int())
        from_entra = (resource_endpoint, token_credential, scopes)
        schedule = choose_schedule(token, token_refresher, proactive_refresh, from_entra, kwargs)
        if schedule is always:
            from .._pipeline.entra_exchange_async import AsyncEntraExchange  # few programs need it

            token_refresher = AsyncEntraExchange(*from_entra, kwargs, tell_time)
        # There is none when nothing is ever due.
        self._refresher = cast(TokenRefresher, token_refresher)
        self._keeper = TokenKeeper(token, schedule, tell_time)
        self._is_proactive = proactive_refresh
        self._is_closed = False
        self._refresh: Task[RefreshOutcome] | None = None
        # Started when there is a loop to start it in.
        self._timer = _Timer(self._keeper.delay()) if proactive_refresh else None

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """Gets the token, refreshed if that is due.

        :param str scopes: Not used, nor are the keywords: the token has the scopes that it was
            issued with. They are there for ``azure.core.credentials_async.AsyncTokenCredential``.
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
        return await self._current_token()

    async def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """Gets the token like :meth:`get_token`, as
        ``azure.core.credentials_async.AsyncSupportsTokenInfo`` has it.

        :param str scopes: Not used.
        :keyword options: Not used.
        :paramtype options: ~azure.core.credentials.TokenRequestOptions
        :return: A token that is valid, and its expiry in Unix seconds.
        :rtype: ~azure.core.credentials.AccessTokenInfo
        :raises: What :meth:`get_token` raises.
        """
        return AccessTokenInfo(*await self._current_token())

    async def close(self) -> None:
        """Ends what refreshes ahead of need, and the refresh that is under way, if any."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        refresh = self._refresh_under_way()
        if refresh is not None and refresh is not asyncio.current_task():
            refresh.cancel()
            await asyncio.wait([refresh])

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
        if self._is_proactive:
            self._ensure_timer()
        token = self._keeper.fresh()
        if token is not None:
            return token
        refresh = self._refresh_under_way()
        if refresh is None:
            refresh = self._refresh = asyncio.create_task(self._outcome())
        else:
            token = self._keeper.valid()
            if token is not None:
                return token
            if refresh is asyncio.current_task():
                raise RuntimeError(REENTERED)
        # Whoever waits may be cancelled, and the refresh goes on for the others.
        await asyncio.wait([refresh])
        if refresh.cancelled() and self._is_closed:
            raise RuntimeError(CLOSED)
        return self._keeper.served(CANCELLED if refresh.cancelled() else refresh.result())

    def _refresh_under_way(self) -> "Task[RefreshOutcome] | None":
        refresh = self._refresh
        if refresh is None or refresh.done():
            return None
        # That of another loop cannot be awaited here.
        return refresh if refresh.get_loop() is asyncio.get_running_loop() else None

    async def _outcome(self) -> RefreshOutcome:
        try:
            # Another loop may have refreshed the token since it was found to be due.
            return self._keeper.fresh() or self._keeper.take(await awaitable(self._refresher()))
        except asyncio.CancelledError:
            if not self._is_closed:
                self._keeper.cancelled()
            raise
        except Exception as error:  # noqa: BLE001 - it is logged, and raised where it matters
            return self._keeper.failed(error)
        finally:
            if self._is_proactive and not self._is_closed:
                self._set_timer()

    def _ensure_timer(self) -> None:
        if self._is_closed:
            raise RuntimeError(CLOSED)
        if self._timer is None or self._timer.is_lost():
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = _Timer(self._keeper.delay())
        self._timer.start(ref(self))

    def _refresh_ahead(self, timer: "_Timer") -> None:
        if self._timer is not timer:
            return  # another one was set, in another loop
        if self._refresh_under_way() is not None:
            return  # at the end of which the timer is set
        if self._keeper.fresh() is not None:
            # The clock was put back, or the time was longer than timers can wait.
            self._set_timer()
            return
        self._refresh = asyncio.create_task(self._outcome())


class _Timer:
    """Wakes a credential, which it does not keep alive. Until it does, there is no task."""

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._loop: AbstractEventLoop | None = None
        self._handle: TimerHandle | None = None

    def start(self, credential: "ReferenceType[CommunicationTokenCredential]") -> None:
        self._loop = asyncio.get_running_loop()
        self._handle = self._loop.call_later(self.interval, self._wake, credential)

    def is_lost(self) -> bool:
        """Whether it waits for a loop to start, or went down with one."""
        return self._loop is None or self._loop.is_closed()

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _wake(self, credential: "ReferenceType[CommunicationTokenCredential]") -> None:
        alive = credential()
        if alive is not None:
            alive._refresh_ahead(self)
