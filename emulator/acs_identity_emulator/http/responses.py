"""From an answer or an error to an HTTP response with the service's headers."""

import base64
import json
from email.utils import formatdate
from functools import lru_cache

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from .._version import __version__
from ..contract.errors import ServiceError
from ..operations.calls import Payload
from ..state import unique

_FIXED = (
    f"Server: acs-identity-emulator/{__version__}\r\n"
    "Request-Context: appId=\r\n"
    "Strict-Transport-Security: max-age=31536000;includeSubDomains\r\n"
    "X-Cache: CONFIG_NOCACHE\r\n"
)

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Response(web.StreamResponse):
    """A response that is written in one piece.

    aiohttp's own keeps headers in a mapping and looks at each of them, and in a create that is
    a fifth of the time: here the header fields are text from the beginning.
    """

    def __init__(self, status: int, fields: str, content: bytes, *, chunked: bool = False) -> None:
        """:param fields: header lines, each with its line end, without those that frame."""
        super().__init__(status=status)
        self.content = content
        self._fields = fields
        self._chunked_content = chunked
        self._closes = False

    @property
    def keep_alive(self) -> bool:
        return not self._closes

    def force_close(self) -> None:
        self._closes = True

    def encoded(self, request: web.BaseRequest) -> bytes:
        """What goes over the wire in answer to the request."""
        content = self.content
        fields = self._fields
        is_http_1_1 = request.version >= HttpVersion11
        if self.status != 204:
            if self._chunked_content and is_http_1_1:
                fields += "Transfer-Encoding: chunked\r\n"
                content = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
            else:
                fields += f"Content-Length: {len(content)}\r\n"
        if self._closes:
            fields += "Connection: close\r\n"
        elif not is_http_1_1:
            fields += "Connection: keep-alive\r\n"
        version = "1.1" if is_http_1_1 else "1.0"
        head = f"HTTP/{version} {self.status} {self.reason}\r\n{fields}\r\n".encode("ascii")
        return head if request.method == "HEAD" else head + content

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Called by aiohttp to begin the response, which ends it as well."""
        if not request.keep_alive:
            self.force_close()
        await request.writer.write(self.encoded(request))
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Called by aiohttp to end the response: there is nothing left of it."""


class ResponseWriter:
    """Writes the response to one request."""

    def __init__(self, request: web.BaseRequest, now: float) -> None:
        """:param now: Unix time of the service's clock."""
        self._date = _http_date(int(now))
        self._client_request_id = request.headers.get("x-ms-client-request-id")

    def success(
        self, status: int, payload: Payload | None, versions: str | None, milliseconds: int
    ) -> Response:
        fields = self._fields(versions, milliseconds)
        if payload is None:
            return Response(status, fields, b"")
        fields += "Content-Type: application/json; charset=utf-8\r\n"
        return Response(status, fields, _json(payload))

    def error(self, error: ServiceError, versions: str | None, milliseconds: int) -> Response:
        fields = self._fields(versions if error.reports_versions else None, milliseconds)
        fields += "Content-Type: application/json\r\n"
        if error.allow is not None:
            fields += f"Allow: {error.allow}\r\n"
        if error.retry_after is not None:
            fields += f"Retry-After: {error.retry_after}\r\n"
        return Response(error.status, fields, _json(error.body()), chunked=True)

    def _fields(self, versions: str | None, milliseconds: int) -> str:
        token = base64.b64encode(unique.octets(48)).decode("ascii")
        fields = (
            f"{_FIXED}Date: {self._date}\r\nX-Processing-Time: {milliseconds}ms\r\n"
            f"MS-CV: {token[:22]}.0\r\nX-Azure-Ref: {token[22:]}==\r\n"
        )
        if versions is not None:
            fields += f"api-supported-versions: {versions}\r\n"
        client_request_id = self._client_request_id
        if client_request_id and client_request_id.isascii() and client_request_id.isprintable():
            fields += f"x-ms-client-request-id: {client_request_id}\r\n"
        return fields


def _json(value: Payload) -> bytes:
    return _encode(value).encode("ascii")


@lru_cache(maxsize=4)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
