"""The part of a response that both libraries share."""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterable
from contextlib import suppress
from email.message import Message
from json import JSONDecodeError, loads
from typing import Any

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResponseNotReadError,
    StreamClosedError,
    StreamConsumedError,
)
from azure.core.rest import HttpRequest
from azure.core.utils import CaseInsensitiveDict
from typing_extensions import Self


class ResponseBase:
    """The part of an azure-core response that needs no I/O.

    Headers are made on demand, since most responses are not asked for any.
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

    @classmethod
    def copied(cls, response: Any, request: HttpRequest, edited: Callable[[Any], Any]) -> Self:
        """A copy of a response of any transport, edited and without its connection.

        :param response: The response. If its body has not been read, the copy has none.
        :param request: The request of the copy.
        :param edited: What the copy has in place of the reason phrase, the headers and the text.
        """
        self = cls.__new__(cls)
        reason = edited(response.reason)
        ResponseBase.__init__(self, request, None, response.status_code, reason, 4096)
        self._headers = CaseInsensitiveDict(edited(dict(response.headers)))
        with suppress(AzureError, TypeError, ValueError):  # not read, or not of its charset
            self._content = edited(response.text()).encode(errors="replace")
        self._encoding = "utf-8"
        self._is_closed = self._is_stream_consumed = True
        return self

    def __getstate__(self) -> dict[str, Any]:
        # Connections belong to their process: a copy has the body read so far, and is closed.
        return {
            **self.__dict__,
            "internal_response": None,
            "_attempt": None,
            "_headers": self.headers,
            "_is_closed": True,
        }

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
        """The reason phrase."""
        return self._reason

    @property
    def headers(self) -> CaseInsensitiveDict:
        """The headers. Values of a repeated name are joined by a comma."""
        if self._headers is None:
            found: dict[str, tuple[str, str]] = {}
            for name, value in self._header_items():
                key = name.lower()
                if key in found:
                    name, first = found[key]
                    value = f"{first}, {value}"
                found[key] = (name, value)
            self._headers = CaseInsensitiveDict(found.values())
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

        :raises ~azure.core.exceptions.ResponseNotReadError: If it has not been read yet.
        """
        if self._content is None:
            raise ResponseNotReadError(self)
        return self._content

    def body(self) -> bytes:
        """The body, for code that was written for older responses."""
        return self.content

    def text(self, encoding: str | None = None) -> str:
        """The body as a str. Bytes that the charset does not allow are replaced.

        :param str encoding: The charset to use instead of the response's own.
        :rtype: str
        """
        charset = encoding or self.encoding
        if charset is None or charset.lower() == "utf-8":
            return self.content.removeprefix(BOM_UTF8).decode(errors="replace")
        return self.content.decode(charset, errors="replace")

    def json(self) -> Any:
        """The JSON of the body.

        :raises ValueError: If the body is not JSON. The exception does not hold the body.
        """
        position = 0
        try:
            return loads(self.text())
        except JSONDecodeError as error:
            position = error.pos
        except (RecursionError, ValueError):
            pass
        # Raised outside of the handler: the first exception holds the body.
        raise JSONDecodeError("The body is not valid JSON", "", position)

    def raise_for_status(self) -> None:
        """Raises an error if the status is one.

        :raises ~azure.core.exceptions.HttpResponseError: If the status is 400 or above.
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
        # Unknown, or a codec of Python that is not a charset.
        b"{}".decode(str(charset), errors="replace")
    except (LookupError, ValueError):
        return None
    return str(charset)
