"""The transport of the async client."""

import asyncio
import os
import threading
from collections.abc import Mapping
from functools import lru_cache
from ssl import SSLContext, create_default_context
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from typing_extensions import Self
from yarl import URL

from .._shared.urls import split_url
from ._aiohttp_attempts import CURRENT_ATTEMPT, AsyncAttempt, AttemptsUnderWay
from ._aiohttp_connector import Connector
from ._aiohttp_response import FAILURES, AiohttpResponse, azure_error, guess_whether_sent
from ._environment import ProxyMap
from ._failures import InvalidResponseError, InvalidSettingError
from ._matching import MISMATCH, REQUEST_ID, is_mismatch
from ._outgoing import body_of, headers_of
from ._settings import Timeouts, authorities, connection_configuration, timeouts, verification
from ._tls import configured


class _Opened:
    """A session, with the event loop that it belongs to."""

    def __init__(self, session: aiohttp.ClientSession, loop: asyncio.AbstractEventLoop) -> None:
        self.session = session
        self.loop = loop
        self.under_way = AttemptsUnderWay(loop)
        self.is_own = isinstance(session.connector, Connector)
        self.contexts: dict[Any, SSLContext | bool] = {}


class _Process:
    """What belongs to one process, and is not used in its children."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.opened: _Opened | None = None


class AiohttpTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Sends requests with aiohttp, to the URL exactly as it is, which is the one that was signed.

    Options are those of ``azure.core.pipeline.transport.AioHttpTransport``. A transport belongs to
    the event loop that uses it first, until that is closed.

    :keyword session: The session to use. By default, the transport makes one.
    :paramtype session: ~aiohttp.ClientSession
    :keyword bool session_owner: Whether to close that session.
    :keyword float connection_timeout: Seconds to wait for a connection; 0 or None for no limit.
        Default 10.
    :keyword float read_timeout: Seconds to wait for the headers, and then for each part of the
        body; 0 or None for no limit. Default 60.
    :keyword connection_verify: Whether to verify certificates, or against which CA bundle.
    :paramtype connection_verify: bool or str
    :keyword connection_cert: A client certificate: a file, or a certificate and a key.
    :paramtype connection_cert: str or tuple[str, str]
    :keyword int connection_data_block_size: Bytes per block of a streamed body.
    :keyword proxies: Proxies by the scheme of a URL. They replace those of the environment.
    :paramtype proxies: ~typing.Mapping[str, str]
    :keyword bool use_env_settings: Whether to use proxies and the CA bundle of the environment.
    :raises TypeError: If an option has the wrong type.
    :raises ValueError: If a timeout is negative, ``connection_verify`` is empty, or
        ``session_owner`` is False and no session is given.
    """

    takes_deadline = True

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession | None = None,
        session_owner: bool = True,
        proxies: Mapping[str, str] | None = None,
        use_env_settings: bool = True,
        **kwargs: Any,
    ) -> None:
        if session is None and not session_owner:
            raise ValueError("session_owner cannot be False if no session is provided")
        self.connection_config = connection_configuration(kwargs)
        self._authorities = authorities(use_env_settings)
        self._proxies = ProxyMap.of(proxies, use_env_settings)
        self._given_session = session
        self._session_owner = session_owner
        self.is_closed = False
        self._processes: dict[int, _Process] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Connections belong to their process and event loop.
        return {**self.__dict__, "_processes": {}}

    @property
    def session(self) -> aiohttp.ClientSession | None:
        """The session in use, or None."""
        return self._given_session if self._opened is None else self._opened.session

    @property
    def _opened(self) -> _Opened | None:
        process = self._processes.get(os.getpid())
        return None if process is None else process.opened

    async def open(self) -> None:
        """Makes the session.

        :raises ValueError: If the transport has been closed.
        :raises RuntimeError: If the transport belongs to another event loop.
        """
        self._open_here()

    def _open_here(self) -> _Opened:
        loop = asyncio.get_running_loop()
        process = self._processes.get(os.getpid())
        if process is None:
            process = self._processes.setdefault(os.getpid(), _Process())
        opened = process.opened
        if opened is not None and opened.loop is loop and not self.is_closed:
            return opened
        with process.lock:
            return self._open_locked(process, loop)

    def _open_locked(self, process: _Process, loop: asyncio.AbstractEventLoop) -> _Opened:
        opened = process.opened
        if self.is_closed:
            raise ValueError(
                "HTTP transport has already been closed: a client cannot be used after close() "
                "or outside of its async with block."
            )
        if opened is not None and opened.loop is not loop and not opened.loop.is_closed():
            raise RuntimeError(
                "The client has connections of another event loop: make a client in each loop, "
                "and close it there."
            )
        if opened is None or opened.loop is not loop:
            opened = process.opened = _Opened(self._given_session or _new_session(), loop)
        return opened

    async def close(self) -> None:
        """Closes the session, and its connections. Requests that are under way fail."""
        if not self._session_owner:
            return
        self.is_closed = True
        opened = self._opened
        if opened is None:
            if self._given_session is not None:
                await self._given_session.close()
        elif opened.loop is not asyncio.get_running_loop() and opened.loop.is_running():
            closing = asyncio.run_coroutine_threadsafe(_close(opened), opened.loop)
            await asyncio.wrap_future(closing)
        elif not opened.loop.is_closed():
            await _close(opened)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()

    async def send(
        self, request: HttpRequest, *, deadline: float | None = None, **kwargs: Any
    ) -> AsyncHttpResponse:
        """Sends a request.

        :param request: The request.
        :type request: ~azure.core.rest.HttpRequest
        :keyword float deadline: The :func:`time.monotonic` until which the whole response has to
            be there, or None.
        :keyword bool stream: Whether to leave the body of the response unread.
        :keyword proxies: The proxies for this request; empty for a direct connection.
        :rtype: ~azure.core.rest.AsyncHttpResponse
        :raises ~azure.core.exceptions.ServiceRequestError: If the request could not be sent.
        :raises ~azure.core.exceptions.ServiceResponseError: If there is no complete response.
        :raises RuntimeError: If the transport belongs to another event loop.
        :raises TypeError: If an option has the wrong type, or the body is a form or a file.
        :raises ValueError: If the transport has been closed, or an option or a header is invalid.
        """
        opened = self._open_here()
        config = self.connection_config
        limits = timeouts(
            kwargs.get("connection_timeout", config.timeout),
            kwargs.get("read_timeout", config.read_timeout),
        )
        attempt = AsyncAttempt(opened.under_way, limits, deadline, bool(kwargs.get("stream")))
        result = await self._response_or_error(request, attempt, opened, kwargs)
        if isinstance(result, AzureError):
            # Raised outside of the handler: tracebacks must not show the cause.
            # Reports of errors show the locals of this frame, and proxies have passwords.
            del kwargs
            raise result
        return result

    async def _response_or_error(
        self,
        request: HttpRequest,
        attempt: AsyncAttempt,
        opened: _Opened,
        options: Mapping[str, Any],
    ) -> AsyncHttpResponse | AzureError:
        origin, host, _ = split_url(request.url)
        body = body_of(request)
        headers = headers_of(request, body)
        headers.setdefault("host", host)
        config, limits = self.connection_config, attempt.timeouts
        verify = verification(options.get("connection_verify", config.verify), self._authorities)
        cert = options.get("connection_cert", config.cert)
        peer = f"{origin.partition('://')[0]}://{host}"
        token = CURRENT_ATTEMPT.set(attempt)
        attempt.begin()
        try:
            attempt.limit_to(_before_headers(limits, opened.is_own))
            proxy = self._proxy(origin, options.get("proxies"))
            is_tls = origin.startswith("https") or (proxy or "").startswith("https")
            internal = await opened.session.request(
                request.method.upper(),
                _verbatim(request.url),
                headers=headers,
                data=body,
                # aiohttp would make one up, even for an empty body.
                skip_auto_headers=None if body else ("Content-Type",),
                allow_redirects=False,
                timeout=_timeout(limits, opened.is_own),
                ssl=_context(opened, verify, cert) if is_tls else True,
                proxy=proxy,
            )
            attempt.is_sent = True  # by a mock or a recorder, perhaps
            response = AiohttpResponse(
                request,
                internal,
                attempt,
                peer,
                config.data_block_size,
                decompress=not opened.session.auto_decompress,
            )
            problem = _problem(internal, headers.get(REQUEST_ID))
            if problem is not None:
                await response.close()
                attempt.abort_connection()
                raise InvalidResponseError(problem)
            if not attempt.is_streamed:
                await response.read_whole()
            return response
        except asyncio.CancelledError:
            if not attempt.uncancel():
                raise
            late = asyncio.TimeoutError()
            if not opened.is_own:
                guess_whether_sent(late, attempt)
            return azure_error(late, attempt, peer)
        except FAILURES as error:
            if not opened.is_own:
                guess_whether_sent(error, attempt)
            return azure_error(error, attempt, peer)
        finally:
            CURRENT_ATTEMPT.reset(token)
            attempt.end()
            attempt.drop_connection()

    def _proxy(self, origin: str, proxies: Mapping[str, str] | None) -> str | None:
        proxy_map = self._proxies if proxies is None else ProxyMap(proxies)
        proxy = proxy_map.proxy_for(origin)
        if proxy is not None and proxy.startswith("socks"):
            raise InvalidSettingError(
                "aiohttp supports no SOCKS proxies. Use an HTTP proxy, the sync client, or a "
                "session of your own with a connector that supports them."
            )
        return proxy


def _problem(response: aiohttp.ClientResponse, request_id: str | None) -> str | None:
    """Why a response is not used, or None."""
    if response.status < 200:  # aiohttp reads over provisional responses, but for 101
        return "the status is invalid."
    if is_mismatch(request_id, response.headers.get(REQUEST_ID)):
        return MISMATCH
    return None


def _new_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=Connector(),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


async def _close(opened: _Opened) -> None:
    for attempt in list(opened.under_way):
        attempt.abort()
    await opened.session.close()


def _before_headers(limits: Timeouts, is_own: bool) -> float | None:
    if limits.connect is None or limits.read is None:
        return None
    # Our connector begins the time to read when there is a new connection.
    return max(limits.connect, limits.read) if is_own else limits.connect + limits.read


@lru_cache(maxsize=16)
def _timeout(limits: Timeouts, is_own: bool) -> aiohttp.ClientTimeout:
    # Attempts limit the reading: the timers of aiohttp take 4 % of a call, and do not return after
    # a provisional (1xx) response or a malformed chunk.
    read = None if is_own else limits.read
    return aiohttp.ClientTimeout(sock_connect=limits.connect, sock_read=read)


def _context(opened: _Opened, verify: bool | str, cert: Any) -> SSLContext | bool:
    # Loading a CA bundle takes 20 ms: done once, not for each request.
    if isinstance(cert, list):
        cert = tuple(cert)
    context = opened.contexts.get((verify, cert))
    if context is None:
        if isinstance(verify, bool) and not cert:
            context = verify
        else:
            context = configured(create_default_context, _load_nothing, verify, cert)
        opened.contexts[verify, cert] = context
    return context


def _load_nothing(context: SSLContext) -> None:
    """The default context has loaded the authorities of the system."""


def _verbatim(url: str) -> URL:
    """A URL that is sent unchanged.

    :raises ~aiohttp.InvalidURL: If the URL is invalid.
    """
    try:
        parsed = URL(url, encoded=True)
        _ = parsed.port  # yarl validates the port on access only
        return parsed
    except ValueError as error:
        raise aiohttp.InvalidURL(url) from error
