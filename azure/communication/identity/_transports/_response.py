"""What a response is, whichever library has read it."""

from codecs import getincrementaldecoder, lookup
from collections.abc import Iterable
from email.message import Message
from json import loads
from typing import Any

from azure.core.exceptions import (
    HttpResponseError,
    ResponseNotReadError,
    StreamClosedError,
    StreamConsumedError,
)
from azure.core.rest import HttpRequest
from azure.core.utils import CaseInsensitiveDict


class ResponseBase:
    """The part of an azure-core response that needs no I/O.

    Headers are made when they are asked for, since most responses are never asked.
    """

    def __init__(
        self,
        request: HttpRequest,
        internal_response: Any,
        status_code: int,
        reason: str,
        block_size: int,
    ) -> None:
        self._request = request
        self.internal_response = internal_response
        self._status_code = status_code
        self._reason = reason
        self.block_size = block_size
        self._headers: CaseInsensitiveDict | None = None
        self._content: bytes | None = None
        self._is_closed = False
        self._is_stream_consumed = False

    def _header_items(self) -> Iterable[tuple[str, str]]:
        raise NotImplementedError

    @property
    def request(self) -> HttpRequest:
        """The request that this answers."""
        return self._request

    @property
    def url(self) -> str:
        """The URL that was requested."""
        return self._request.url

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self._status_code

    @property
    def reason(self) -> str:
        """The words beside the status."""
        return self._reason

    @property
    def headers(self) -> CaseInsensitiveDict:
        """The headers. Values of a name that comes more than once are joined by a comma."""
        if self._headers is None:
            self._headers = CaseInsensitiveDict()
            for name, value in self._header_items():
                known = self._headers.get(name)
                self._headers[name] = value if known is None else f"{known}, {value}"
        return self._headers

    @property
    def content_type(self) -> str | None:
        """The header ``Content-Type``."""
        content_type: str | None = self.headers.get("Content-Type")
        return content_type

    @property
    def is_closed(self) -> bool:
        """Whether the connection has been given back."""
        return self._is_closed

    @property
    def is_stream_consumed(self) -> bool:
        """Whether the body has been read."""
        return self._is_stream_consumed

    @property
    def encoding(self) -> str | None:
        """The charset of ``Content-Type``, unless another one was set."""
        try:
            return self._encoding
        except AttributeError:
            self._encoding: str | None = _charset(self.content_type)
            return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def content(self) -> bytes:
        """The body, decompressed.

        :raises ~azure.core.exceptions.ResponseNotReadError: It has not been read yet.
        """
        if self._content is None:
            raise ResponseNotReadError(self)
        return self._content

    def body(self) -> bytes:
        """The body, for code that was written for older responses."""
        return self.content

    def text(self, encoding: str | None = None) -> str:
        """The body as a str.

        :param str encoding: The charset to take in place of the response's own.
        :rtype: str
        """
        charset = encoding or self.encoding
        if charset is None:
            return getincrementaldecoder("utf-8-sig")(errors="replace").decode(self.content)
        return self.content.decode("utf-8-sig" if charset.lower() == "utf-8" else charset)

    def json(self) -> Any:
        """The JSON of the body.

        :raises ValueError: It is not JSON.
        """
        return loads(self.text())

    def raise_for_status(self) -> None:
        """Raises an error if the status is one.

        :raises ~azure.core.exceptions.HttpResponseError: The status is 400 or above.
        """
        if self._status_code >= 400:
            raise HttpResponseError(response=self)

    def __repr__(self) -> str:
        content_type = f", Content-Type: {self.content_type}" if self.content_type else ""
        return f"<{type(self).__name__}: {self._status_code} {self._reason}{content_type}>"

    def _begin_streaming(self) -> None:
        if self._is_stream_consumed:
            raise StreamConsumedError(self)
        if self._is_closed:
            raise StreamClosedError(self)
        self._is_stream_consumed = True

    def _blocks_of_content(self) -> Iterable[bytes]:
        content, size = self.content, self.block_size
        return (content[start : start + size] for start in range(0, len(content), size))


def _charset(content_type: str | None) -> str | None:
    if not content_type:
        return None
    message = Message()
    message["content-type"] = content_type
    charset = message.get_param("charset")
    try:
        lookup(str(charset))
    except LookupError:
        return None
    return str(charset)
