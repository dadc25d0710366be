"""The response of the sync client."""

import re
from collections.abc import Iterator
from typing import Any

from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Self
from urllib3.exceptions import HTTPError, NewConnectionError, ProxyError, TimeoutError

from . import _limits
from ._attempt import Attempt
from ._decompression import TOO_LONG, decompressor
from ._failures import (
    COMMON,
    InvalidResponseError,
    InvalidSettingError,
    ProxyStatusError,
    failure,
)
from ._response import ResponseBase
from ._urllib3_pools import SyncAttempt

_TUNNEL = r"Tunnel connection failed: (\d{3})"
_READ_SIZE = 64 * 1024

FAILURES: tuple[type[BaseException], ...] = (HTTPError, InvalidSettingError, *COMMON)
"""What urllib3 and the layers below raise."""


def azure_error(error: BaseException, attempt: Attempt, peer: str) -> AzureError:
    """The exception for a failed attempt.

    :param error: One of :data:`FAILURES`.
    :param attempt: The attempt.
    :param str peer: Scheme, host and port of the server.
    """
    # http.client tells the status of a proxy in the text only, after which comes the proxy's own.
    tunnel = re.search(_TUNNEL, str(error)) if isinstance(error, ProxyError) else None
    if tunnel is not None:
        error = ProxyStatusError(int(tunnel[1]))
    is_timeout = isinstance(error, TimeoutError) and not isinstance(error, NewConnectionError)
    return failure(error, attempt, peer, is_timeout=is_timeout)


class Urllib3Response(ResponseBase, HttpResponse):
    """A response whose body urllib3 reads."""

    def __init__(
        self, request: HttpRequest, raw: Any, attempt: SyncAttempt, peer: str, block_size: int
    ) -> None:
        super().__init__(request, raw, raw.status, raw.reason or "", block_size)
        self._attempt = attempt
        self._peer = peer

    def _header_items(self) -> Iterator[tuple[str, str]]:
        for name, value in self.internal_response.headers.items():
            yield name, value.strip()

    def read_whole(self) -> None:
        """Reads the body of a response that is not streamed.

        :raises Exception: One of :data:`FAILURES`.
        """
        try:
            self._content = self._read()
        except BaseException:
            self.close()
            raise
        self._is_stream_consumed = self._is_closed = True

    def _read(self) -> bytes:
        raw = self.internal_response
        if int(raw.headers.get("content-length", 0)) > _limits.MAX_BODY_BYTES:
            raise InvalidResponseError(TOO_LONG)
        coding = decompressor(raw.headers.get("content-encoding"), has_limit=True)
        # vcrpy's responses have stream() alone.
        if getattr(raw, "chunked", True):
            content = _joined(raw.stream(_READ_SIZE, decode_content=False))
        else:
            content = raw.read(decode_content=False)
        if coding is None or not content:
            return content
        content = coding.feed(content)
        coding.finish()
        return content

    def read(self) -> bytes:
        """Reads the body.

        :rtype: bytes
        """
        if self._content is None:
            self._content = b"".join(self.iter_bytes())
        return self._content

    def iter_bytes(self, **kwargs: Any) -> Iterator[bytes]:
        """The body in blocks, decompressed.

        :rtype: ~typing.Iterator[bytes]
        """
        if self._content is not None:
            return iter(self._blocks_of_content())
        return self._stream(decode=True)

    def iter_raw(self, **kwargs: Any) -> Iterator[bytes]:
        """The body in blocks, as it was sent.

        :rtype: ~typing.Iterator[bytes]
        """
        return self._stream(decode=False)

    def stream_download(
        self, pipeline: Any = None, *, decompress: bool = True, **kwargs: Any
    ) -> Iterator[bytes]:
        """The body in blocks, for code that was written for older responses."""
        return self._stream(decode=decompress)

    def _stream(self, decode: bool) -> Iterator[bytes]:
        self._begin_streaming()
        failed: AzureError | None = None
        try:
            self._attempt.begin()
            yield from self._decoded_blocks(decode)
        except FAILURES as error:
            failed = azure_error(error, self._attempt, self._peer)
        finally:
            self._attempt.end()
            self.close()
        if failed is not None:
            raise failed

    def _decoded_blocks(self, decode: bool) -> Iterator[bytes]:
        raw = self.internal_response
        coding = decompressor(raw.headers.get("content-encoding"), has_limit=False)
        for block in raw.stream(self.block_size, decode_content=False):
            decoded = coding.feed(block) if decode and coding is not None else block
            if decoded:
                yield decoded
        if decode and coding is not None:
            coding.finish()

    def close(self) -> None:
        """Gives the connection back, or closes it if it is still in use."""
        if not self._is_closed:
            self._is_closed = True
            self.internal_response.close()
            self.internal_response.release_conn()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def _joined(blocks: Iterator[bytes]) -> bytes:
    content = bytearray()
    for block in blocks:
        content += block
        if len(content) > _limits.MAX_BODY_BYTES:
            raise InvalidResponseError(TOO_LONG)
    return bytes(content)
