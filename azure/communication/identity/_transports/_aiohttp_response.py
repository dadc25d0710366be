"""The response of the async client."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError
from azure.core.rest import AsyncHttpResponse, HttpRequest
from typing_extensions import Self

from . import _limits
from ._aiohttp_attempts import AsyncAttempt
from ._decompression import TOO_LONG, Decompressor, decompressor
from ._failures import (
    COMMON,
    InvalidResponseError,
    InvalidSettingError,
    ProxyStatusError,
    failure,
)
from ._response import ResponseBase

FAILURES: tuple[type[BaseException], ...] = (
    aiohttp.ClientError,
    asyncio.TimeoutError,
    InvalidSettingError,
    *COMMON,
)
"""What aiohttp and the layers below raise."""


def azure_error(error: BaseException, attempt: AsyncAttempt, peer: str) -> AzureError:
    """The exception for a failed attempt.

    :param error: One of :data:`FAILURES`.
    :param attempt: The attempt.
    :param str peer: Scheme, host and port of the server.
    """
    if isinstance(error, aiohttp.ClientHttpProxyError):
        error = ProxyStatusError(error.status)
    return failure(error, attempt, peer, is_timeout=isinstance(error, asyncio.TimeoutError))


def guess_whether_sent(error: BaseException, attempt: AsyncAttempt) -> None:
    """Notes whether a session of the caller has sent the request, as far as its error tells.

    :param error: One of :data:`FAILURES`.
    :param attempt: The attempt.
    """
    if isinstance(error, _AFTER_SENDING) and not isinstance(error, _BEFORE_SENDING):
        attempt.is_sent = True


_BEFORE_SENDING = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
)
_AFTER_SENDING = (
    asyncio.TimeoutError,  # at the deadline, perhaps after sending
    aiohttp.ClientOSError,
    aiohttp.ClientResponseError,
    aiohttp.ServerDisconnectedError,
    aiohttp.SocketTimeoutError,
)


class AiohttpResponse(ResponseBase, AsyncHttpResponse):
    """A response whose body aiohttp reads."""

    def __init__(
        self,
        request: HttpRequest,
        internal_response: aiohttp.ClientResponse,
        attempt: AsyncAttempt,
        peer: str,
        block_size: int,
        *,
        decompress: bool,
    ) -> None:
        super().__init__(
            request,
            internal_response,
            internal_response.status,
            internal_response.reason or "",
            block_size,
        )
        self._attempt = attempt
        self._peer = peer
        self._decompress = decompress

    def _header_items(self) -> Iterator[tuple[str, str]]:
        for name, value in self.internal_response.headers.items():
            yield name, value.strip()

    async def read_whole(self) -> None:
        """Reads the body of a response that is not streamed.

        :raises Exception: One of :data:`FAILURES`.
        """
        internal = self.internal_response
        try:
            if (internal.content_length or 0) > _limits.MAX_BODY_BYTES:
                raise InvalidResponseError(TOO_LONG)
            stream = internal.content
            # A small body has come together with the headers.
            raw = stream.read_nowait() if stream.is_eof() else await self._blocks(stream)
            if len(raw) > _limits.MAX_BODY_BYTES:
                raise InvalidResponseError(TOO_LONG)
            coding = self._decompressor(has_limit=True)
            if coding is not None:
                raw, compressed = coding.feed(raw), raw
                if compressed:
                    coding.finish()
            self._content = raw
        finally:
            self._is_stream_consumed = True
            await self.close()

    async def _blocks(self, stream: aiohttp.StreamReader) -> bytes:
        content = bytearray()
        while len(content) <= _limits.MAX_BODY_BYTES:
            self._attempt.limit_to(self._attempt.timeouts.read)
            block = await stream.readany()
            if not block:
                break
            content += block
        return bytes(content)

    def _decompressor(self, *, has_limit: bool) -> Decompressor | None:
        if not self._decompress:
            return None
        coding = self.internal_response.headers.get("Content-Encoding")
        return decompressor(coding, has_limit=has_limit)

    async def read(self) -> bytes:
        """Reads the body.

        :rtype: bytes
        """
        if self._content is None:
            self._content = b"".join([block async for block in self.iter_bytes()])
        return self._content

    async def iter_bytes(self, **kwargs: Any) -> AsyncIterator[bytes]:
        """The body in blocks, decompressed.

        :rtype: ~typing.AsyncIterator[bytes]
        """
        if self._content is not None:
            for block in self._blocks_of_content():
                yield block
            return
        async for block in self._stream(self._decompressor(has_limit=False)):
            yield block

    async def iter_raw(self, **kwargs: Any) -> AsyncIterator[bytes]:
        """The body in blocks, as it was sent.

        :rtype: ~typing.AsyncIterator[bytes]
        """
        async for block in self._stream(None):
            yield block

    async def _stream(self, coding: Decompressor | None) -> AsyncIterator[bytes]:
        self._begin_streaming()
        failed: AzureError | None = None
        try:
            while block := await self._next_block():
                decoded = coding.feed(block) if coding is not None else block
                if decoded:
                    yield decoded
            if coding is not None:
                coding.finish()
        except FAILURES as error:
            failed = azure_error(error, self._attempt, self._peer)
        finally:
            await self.close()
        if failed is not None:
            raise failed

    async def _next_block(self) -> bytes:
        attempt = self._attempt
        attempt.begin()
        try:
            attempt.limit_to(attempt.timeouts.read)
            block: bytes = await self.internal_response.content.read(self.block_size)
            return block
        except asyncio.CancelledError:
            if not attempt.uncancel():
                raise
            raise asyncio.TimeoutError from None
        except RuntimeError:
            if attempt.transport is None or not attempt.transport.is_closing():
                raise
            attempt.is_aborted = True  # between two blocks
            raise aiohttp.ClientConnectionError from None
        finally:
            attempt.end()

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
            self._attempt.drop_connection()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()
