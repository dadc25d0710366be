"""Bodies that are compressed, within the limit of a body."""

import zlib
from typing import Any

from . import _limits
from ._failures import InvalidResponseError

TOO_LONG = f"the body is longer than {_limits.MAX_BODY_BYTES} bytes."


class Decompressor:
    """Decompresses gzip, and both what RFC 9110 calls deflate and what some servers send as that.

    :param str coding: ``gzip`` or ``deflate``.
    :keyword bool has_limit: Whether to stop at the limit of a body.
    """

    def __init__(self, coding: str, *, has_limit: bool) -> None:
        self._inner: Any = zlib.decompressobj(16 + zlib.MAX_WBITS) if coding == "gzip" else None
        self._left = _limits.MAX_BODY_BYTES if has_limit else None
        self._has_begun = False

    def feed(self, block: bytes) -> bytes:
        """Decompresses the next block.

        :raises InvalidResponseError: If the block is malformed, or the body is too long.
        """
        if not block:
            return b""
        self._has_begun = True
        if self._inner is None:
            # The first byte of a zlib stream has the method, 8, in its low half.
            has_header = block[0] & 15 == 8
            self._inner = zlib.decompressobj(zlib.MAX_WBITS * (1 if has_header else -1))
        most = 0 if self._left is None else self._left + 1
        try:
            result: bytes = self._inner.decompress(block, most)
        except zlib.error:
            raise InvalidResponseError("the compressed body is malformed.") from None
        if self._left is not None:
            self._left -= len(result)
            if self._left < 0:
                raise InvalidResponseError(TOO_LONG)
        return result

    def finish(self) -> None:
        """Checks that the body is complete. An empty body is complete.

        :raises InvalidResponseError: If the body is truncated.
        """
        if self._has_begun and not self._inner.eof:
            raise InvalidResponseError("the compressed body was cut short.")


def decompressor(coding: str | None, *, has_limit: bool) -> Decompressor | None:
    """The decompressor of a body, or None if the body is not compressed.

    :param str coding: The header ``Content-Encoding``.
    :keyword bool has_limit: Whether to stop at the limit of a body.
    """
    if coding is None:
        return None
    name = coding.strip().lower().removeprefix("x-")
    return Decompressor(name, has_limit=has_limit) if name in ("gzip", "deflate") else None
