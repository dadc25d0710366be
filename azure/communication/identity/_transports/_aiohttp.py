"""The transport of the async client."""

import asyncio
import os
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterator, Mapping
from ssl import CERT_NONE, SSLContext, create_default_context
from typing import Any

import aiohttp
from azure.core.exceptions import (
    AzureError,
    DecodeError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from typing_extensions import Self
from yarl import URL

from .._shared.urls import split_url
from ._aiohttp_connector import Connector
from ._environment import ProxyMap, connection_configuration
from ._outgoing import body_of, headers_of
from ._response import ResponseBase

if sys.version_info >= (3, 11):
    from asyncio import timeout as time_limit
else:
    from async_timeout import timeout as time_limit  # pyright: ignore[reportMissingModuleSource]

# aiohttp's own limit, 100, lets tasks that wait for a connection starve behind those that have one.
_CONNECTIONS = 1024


class AiohttpTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Sends requests with aiohttp, to the URL exactly as it is, which is the one that was signed.

    Options are those of ``azure.core.pipeline.transport.AioHttpTransport``.

    :keyword session: The session to use in place of one of its own.
    :paramtype session: ~aiohttp.ClientSession
    :keyword bool session_owner: Whether to close that session.
    :keyword float connection_timeout: Seconds to wait for a connection.
    :keyword float read_timeout: Seconds to wait for data.
    :keyword connection_verify: Whether to verify certificates, or against which CA bundle.
    :paramtype connection_verify: bool or str
    :keyword connection_cert: A client certificate: a file, or a certificate and a key.
    :paramtype connection_cert: str or tuple[str, str]
    :keyword int connection_data_block_size: How much of a body to hand out at a time, in bytes.
    :keyword proxies: From the scheme of a URL to the proxy for it, in place of the environment's.
    :paramtype proxies: ~typing.Mapping[str, str]
    :keyword bool use_env_settings: Whether to use proxies and the CA bundle of the environment.
    :raises ValueError: There is no session, and it would not be closed either.
    """

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
        self.connection_config = connection_configuration(use_env_settings, kwargs)
        self._proxies = ProxyMap.of(proxies, use_env_settings)
        self.session = session
        self._session_owner = session_owner
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._proxy_of: dict[str, str | None] = {}
        self._contexts: dict[Any, SSLContext | bool] = {}
        self._timeouts: dict[Any, aiohttp.ClientTimeout] = {}

    async def open(self) -> None:
        """Makes the session.

        :raises ValueError: The transport has been closed.
        """
        self._open_session()

    def _open_session(self) -> aiohttp.ClientSession:
        if self.session is None:
            if self._closed:
                raise ValueError(
                    "HTTP transport has already been closed: a client cannot be used after close() "
                    "or outside of its async with block."
                )
            self.session = aiohttp.ClientSession(
                connector=Connector(limit=_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
            self._loop = asyncio.get_running_loop()
        return self.session

    async def close(self) -> None:
        """Closes the session, and the connections with it."""
        if self._session_owner:
            self._closed = True
            session, self.session = self.session, None
            if session is not None:
                await session.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        """Sends a request.

        :param request: The request.
        :type request: ~azure.core.rest.HttpRequest
        :keyword bool stream: Whether to leave the body of the response unread.
        :keyword proxies: The proxies for this request.
        :rtype: ~azure.core.rest.AsyncHttpResponse
        :raises ~azure.core.exceptions.AzureError: There is no response.
        """
        session = self.session or self._open_session()
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise RuntimeError(
                "The client has connections of another event loop: make a client in each loop, "
                "and close it there."
            )
        config = self.connection_config
        read_timeout = kwargs.get("read_timeout", config.read_timeout)
        timeout = self._timeout(kwargs.get("connection_timeout", config.timeout), read_timeout)
        ssl = self._ssl(
            kwargs.get("connection_verify", config.verify),
            kwargs.get("connection_cert", config.cert),
        )
        try:
            # aiohttp forgets its own timeout after a provisional response.
            async with time_limit(_sum(timeout.sock_connect, read_timeout)):
                internal = await self._respond(
                    session, request, timeout, ssl, kwargs.get("proxies")
                )
        except _FAILURES as error:
            raise _azure_error(error) from error
        response = AiohttpResponse(
            request,
            internal,
            config.data_block_size,
            decompress=not session.auto_decompress,
            read_timeout=read_timeout,
        )
        if not kwargs.get("stream"):
            await response.read()
        return response

    def _respond(
        self,
        session: aiohttp.ClientSession,
        request: HttpRequest,
        timeout: aiohttp.ClientTimeout,
        ssl: SSLContext | bool,
        proxies: Mapping[str, str] | None,
    ) -> Awaitable[aiohttp.ClientResponse]:
        method, url, body = request.method.upper(), request.url, body_of(request)
        headers = headers_of(request, body)
        origin, host, _ = split_url(url)
        headers.setdefault("host", host)
        proxy = self._proxy(origin, proxies)
        return session.request(
            method,
            verbatim(url),
            headers=headers,
            data=body,
            # aiohttp would make one up, even for an empty body.
            skip_auto_headers=None if body else ("Content-Type",),
            allow_redirects=False,
            timeout=timeout,
            ssl=ssl,
            proxy=proxy,
        )

    def _proxy(self, origin: str, proxies: Mapping[str, str] | None) -> str | None:
        if proxies is not None:
            return ProxyMap(proxies).proxy_for(origin)
        if origin not in self._proxy_of:
            self._proxy_of[origin] = self._proxies.proxy_for(origin)
        return self._proxy_of[origin]

    def _timeout(self, connect: float, read: float) -> aiohttp.ClientTimeout:
        timeout = self._timeouts.get((connect, read))
        if timeout is None:
            timeout = aiohttp.ClientTimeout(sock_connect=connect, sock_read=read)
            # The retry policy shortens timeouts by how long the call has lasted.
            if len(self._timeouts) < 16:
                self._timeouts[connect, read] = timeout
        return timeout

    def _ssl(self, verify: Any, cert: Any) -> SSLContext | bool:
        # To load a CA bundle takes 20 ms, so it is done once and not for each request.
        if isinstance(cert, list):
            cert = tuple(cert)
        context = self._contexts.get((verify, cert))
        if context is None:
            context = self._contexts[verify, cert] = _new_context(verify, cert)
        return context


def _sum(connect: float | None, read: float | None) -> float | None:
    return connect + read if connect and read else None


def verbatim(url: str) -> URL:
    """A URL that is sent unchanged.

    :raises ~aiohttp.InvalidURL: If the URL is invalid.
    """
    try:
        parsed = URL(url, encoded=True)
        _ = parsed.port  # yarl validates the port on access only
        return parsed
    except ValueError as error:
        raise aiohttp.InvalidURL(url) from error


def _new_context(verify: Any, cert: Any) -> SSLContext | bool:
    if verify is None:
        verify = True
    if verify in (True, False) and not cert:
        return bool(verify)
    if isinstance(verify, bool):
        context = create_default_context()
        if not verify:
            context.check_hostname = False
            context.verify_mode = CERT_NONE
    else:
        is_directory = os.path.isdir(verify)
        context = create_default_context(
            cafile=None if is_directory else verify, capath=verify if is_directory else None
        )
    if cert:
        context.load_cert_chain(*((cert,) if isinstance(cert, str) else cert))
    return context


class AiohttpResponse(ResponseBase, AsyncHttpResponse):
    """A response whose body aiohttp reads."""

    def __init__(
        self,
        request: HttpRequest,
        internal_response: aiohttp.ClientResponse,
        block_size: int,
        *,
        decompress: bool,
        read_timeout: float | None,
    ) -> None:
        super().__init__(
            request,
            internal_response,
            internal_response.status,
            internal_response.reason or "",
            block_size,
        )
        self._decompress = decompress
        self._read_timeout = read_timeout

    def _header_items(self) -> Iterator[tuple[str, str]]:
        yield from self.internal_response.headers.items()

    async def read(self) -> bytes:
        """Reads the body.

        :rtype: bytes
        """
        if self._content is None:
            self._begin_streaming()
            stream = self.internal_response.content
            try:
                # A small body has come together with the headers.
                raw = stream.read_nowait() if stream.is_eof() else await self._read_blocks(stream)
                self._content = self._decoded(raw)
            except _FAILURES as error:
                raise _azure_error(error) from error
            finally:
                await self.close()
        return self._content

    async def _read_blocks(self, stream: aiohttp.StreamReader) -> bytes:
        blocks = []
        while block := await self._in_time(stream.readany()):
            blocks.append(block)
        return b"".join(blocks)

    async def _in_time(self, read: Coroutine[Any, Any, bytes]) -> bytes:
        # aiohttp has the same timeout, but forgets it when a chunk is malformed, and would wait
        # for ever.
        async with time_limit(self._read_timeout or None):
            return await read

    def _decoded(self, content: bytes) -> bytes:
        decompressor = self._decompressor()
        if decompressor is None:
            return content
        decoded: bytes = decompressor.decompress(content) + decompressor.flush()
        return decoded

    def _decompressor(self) -> Any:
        coding = self.internal_response.headers.get("Content-Encoding")
        if coding is None or not self._decompress:
            return None
        if coding.lower() == "gzip":
            return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        return _Deflated() if coding.lower() == "deflate" else None

    async def iter_bytes(self, **kwargs: Any) -> AsyncIterator[bytes]:
        """The body in blocks, decompressed.

        :rtype: ~typing.AsyncIterator[bytes]
        """
        if self._content is not None:
            for block in self._blocks_of_content():
                yield block
            return
        decompressor = self._decompressor()
        try:
            async for block in self.iter_raw():
                if decoded := decompressor.decompress(block) if decompressor else block:
                    yield decoded
        except zlib.error as error:
            raise _azure_error(error) from error

    async def iter_raw(self, **kwargs: Any) -> AsyncIterator[bytes]:
        """The body in blocks, as it was sent.

        :rtype: ~typing.AsyncIterator[bytes]
        """
        self._begin_streaming()
        try:
            while True:
                block = await self._in_time(self.internal_response.content.read(self.block_size))
                if not block:
                    break
                yield block
        except _FAILURES as error:
            raise _azure_error(error) from error
        finally:
            await self.close()

    def stream_download(
        self, pipeline: Any = None, *, decompress: bool = True, **kwargs: Any
    ) -> AsyncIterator[bytes]:
        """The body in blocks, for code that was written for older responses."""
        return self.iter_bytes() if decompress else self.iter_raw()

    async def load_body(self) -> None:
        """Reads the body, for code that was written for older responses."""
        await self.read()

    async def close(self) -> None:
        """Gives the connection back, or closes it if it is still in use."""
        if not self._is_closed:
            self._is_closed = True
            self.internal_response.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()


class _Deflated:
    """Inflates both what RFC 9110 calls deflate and what some servers do."""

    def __init__(self) -> None:
        self._inner: Any = None

    def decompress(self, block: bytes) -> bytes:
        if self._inner is None:
            # The first byte of a zlib stream tells its method, 8, in the low half.
            has_header = block[:1] and block[0] & 15 == 8
            self._inner = zlib.decompressobj(wbits=zlib.MAX_WBITS * (1 if has_header else -1))
        inflated: bytes = self._inner.decompress(block)
        return inflated

    def flush(self) -> bytes:
        inflated: bytes = self._inner.flush()
        return inflated


_FAILURES = (aiohttp.ClientError, asyncio.TimeoutError, zlib.error)
# The classes are those of AioHttpTransport: retry policies and callers go by them. The first that
# fits.
_AZURE_ERRORS: list[tuple[type[Exception], type[AzureError]]] = [
    (aiohttp.ClientPayloadError, IncompleteReadError),
    (aiohttp.ClientResponseError, ServiceResponseError),
    (aiohttp.ConnectionTimeoutError, ServiceRequestTimeoutError),
    (asyncio.TimeoutError, ServiceResponseTimeoutError),
    (aiohttp.ClientError, ServiceRequestError),
    (zlib.error, DecodeError),
]


def _azure_error(error: Exception) -> AzureError:
    azure_error = next(ours for theirs, ours in _AZURE_ERRORS if isinstance(error, theirs))
    return azure_error(error, error=error)
