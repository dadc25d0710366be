"""From an answer or an error to the bytes of an HTTP response with the service's headers."""

import base64
import http
import json
from email.utils import formatdate
from functools import lru_cache
from typing import NamedTuple

from .._version import __version__
from ..authentication.authenticators import WireRequest
from ..contract.errors import ServiceError
from ..control.endpoints import PREFIX
from ..operations.calls import Content, Html, Payload, Text
from ..state import unique

_FIXED = (
    f"Server: acs-identity-emulator/{__version__}\r\n"
    "Request-Context: appId=\r\n"
    "Strict-Transport-Security: max-age=31536000;includeSubDomains\r\n"
    "X-Cache: CONFIG_NOCACHE\r\n"
)
_HTML_FIELDS = (
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Security-Policy: default-src 'none'; connect-src 'self'; style-src 'nonce-{nonce}'; "
    "script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    "Cache-Control: no-store\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
)
_REASONS = {status.value: status.phrase for status in http.HTTPStatus}

_encode = json.JSONEncoder(separators=(",", ":")).encode


_ALL_ORIGINS = "Access-Control-Allow-Origin: *\r\n"


def fields_for_origin(request: WireRequest | None) -> str:
    """The header line that lets a page of another origin read the response, or nothing.

    The emulator's own paths are not for such pages. An invalid request (None) gets the line in any
    case, because its head may not have been read to the end.
    """
    if request is None:
        return _ALL_ORIGINS
    is_cross_origin = "Origin" in request.headers and not request.target.startswith(PREFIX)
    return _ALL_ORIGINS if is_cross_origin else ""


class Response:
    """A response before it is framed for a version of HTTP."""

    __slots__ = ("_chunked", "_fields", "content", "status")

    def __init__(self, status: int, fields: str, content: bytes, *, chunked: bool = False) -> None:
        """:param fields: header lines, each with its line end, without those that frame."""
        self.status = status
        self.content = content
        self._fields = fields
        self._chunked = chunked

    def encoded(self, method: str, *, is_http_1_1: bool, closes: bool) -> bytes:
        """The bytes that answer a request of that method."""
        content = self.content
        fields = self._fields
        if self.status != 204:
            if self._chunked and is_http_1_1:
                fields += "Transfer-Encoding: chunked\r\n"
                content = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
            else:
                fields += f"Content-Length: {len(content)}\r\n"
        if closes:
            fields += "Connection: close\r\n"
        elif not is_http_1_1:
            fields += "Connection: keep-alive\r\n"
        version = "1.1" if is_http_1_1 else "1.0"
        reason = _REASONS.get(self.status, "")
        head = f"HTTP/{version} {self.status} {reason}\r\n{fields}\r\n".encode("ascii")
        return head if method == "HEAD" else head + content


class BrokenOff(NamedTuple):
    """The beginning of a response, after which the connection is reset."""

    sent: bytes = b""


Reply = Response | BrokenOff


class ResponseWriter:
    """Writes the response to one request."""

    def __init__(self, request: WireRequest | None, now: float) -> None:
        """:param request: None if it was not understood.
        :param now: Unix time of the service's clock.
        """
        self._date = _http_date(int(now))
        self._client_request_id: str | None = None
        self._for_origin = fields_for_origin(request)
        self._is_get = False
        if request is not None:
            self._is_get = request.method == "GET"
            self._client_request_id = request.headers.get("x-ms-client-request-id")

    def success(
        self, status: int, payload: Content | None, versions: str | None, milliseconds: int
    ) -> Response:
        fields = self._fields(versions, milliseconds)
        if payload is None:
            return Response(status, fields, b"")
        if isinstance(payload, Html):
            fields += _HTML_FIELDS.format(nonce=payload.nonce)
            return Response(status, fields, payload.text.encode())
        if isinstance(payload, Text):
            fields += f"Content-Type: {payload.media_type}\r\n"
            return Response(status, fields, payload.text.encode())
        fields += "Content-Type: application/json; charset=utf-8\r\n"
        return Response(status, fields, _json(payload))

    def error(self, error: ServiceError, versions: str | None, milliseconds: int) -> Response:
        fields = self._fields(versions if error.reports_versions else None, milliseconds)
        fields += "Content-Type: application/json\r\n"
        if error.allow is not None:
            fields += f"Allow: {error.allow}\r\n"
        if error.challenge is not None:
            fields += f"WWW-Authenticate: {error.challenge}\r\n"
        if error.retry_after is not None:
            fields += f"Retry-After: {error.retry_after}\r\n"
        return Response(error.status, fields, _json(error.body()), chunked=True)

    def preflight(self, method: str, headers: str, milliseconds: int) -> Response:
        """The header lines that allow a browser the request that it announces.

        :param method: the method that it asks for.
        :param headers: the header names that it asks for.
        """
        fields = self._fields(None, milliseconds)
        for name, value in (("Methods", method), ("Headers", headers)):
            if _is_plain(value):
                fields += f"Access-Control-Allow-{name}: {value}\r\n"
        return Response(204, fields, b"")

    def _fields(self, versions: str | None, milliseconds: int) -> str:
        token = base64.b64encode(unique.octets(48)).decode("ascii")
        fields = (
            f"{_FIXED}Date: {self._date}\r\nX-Processing-Time: {milliseconds}ms\r\n"
            f"MS-CV: {token[:22]}.0\r\nX-Azure-Ref: {token[22:]}==\r\n"
        )
        if self._is_get:
            fields += "Accept-Ranges: bytes\r\n"  # as recorded, although no range is served
        if versions is not None:
            fields += f"api-supported-versions: {versions}\r\n"
        fields += self._for_origin
        client_request_id = self._client_request_id
        if client_request_id and _is_plain(client_request_id):
            fields += f"x-ms-client-request-id: {client_request_id}\r\n"
        return fields


def _is_plain(value: str) -> bool:
    """Whether a header may carry the value back."""
    return bool(value) and value.isascii() and value.isprintable()


def _json(value: Payload) -> bytes:
    return _encode(value).encode("ascii")


@lru_cache(maxsize=4)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
