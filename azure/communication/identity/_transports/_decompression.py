"""Bodies that are compressed, within the limit of a body."""

import zlib
from typing import Any

from . import _limits
from ._failures import InvalidResponseError

TOO_LONG = f"the body is longer than {_limits.MAX_BODY_BYTES} bytes."
_GZIP = 0x1F
# What follows a member is copied once for each member.
_PART = 4096


class Decompressor:
    """Decompresses gzip, and both what RFC 9110 calls deflate and what some servers send as that.

    :param str coding: ``gzip``, of any number of members (RFC 1952, 2.2), or ``deflate``.
    :keyword bool has_limit: Whether to stop at the limit of a body.
    """

    def __init__(self, coding: str, *, has_limit: bool) -> None:
        self._is_gzip = coding == "gzip"
        self._inner: Any = None
        self._left = _limits.MAX_BODY_BYTES if has_limit else None

    def feed(self, block: bytes) -> bytes:
        """Decompresses the next block.

        :raises InvalidResponseError: If the block is malformed, or the body is too long.
        """
        result = bytearray()
        for start in range(0, len(block), _PART):
            part = block[start : start + _PART]
            while part and self._belongs_to_body(part):
                result += self._decompressed(part)
                part = self._inner.unused_data
        return bytes(result)

    def _belongs_to_body(self, part: bytes) -> bool:
        if self._inner is not None:
            if not self._inner.eof:
                return True
            if not self._is_gzip or part[0] != _GZIP:
                return False
        # The first byte of a zlib stream has the method, 8, in its low half.
        deflate = zlib.MAX_WBITS * (1 if part[0] & 15 == 8 else -1)
        self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS if self._is_gzip else deflate)
        return True

    def _decompressed(self, part: bytes) -> bytes:
        most = 0 if self._left is None else self._left + 1
        try:
            result: bytes = self._inner.decompress(part, most)
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
        if self._inner is not None and not self._inner.eof:
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
