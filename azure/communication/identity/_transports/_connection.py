"""Connections of urllib3 that spend less on headers, which is most of what a small request costs.

http.client parses the headers of a response with the email package, and sends the headers and the
body of a request each on their own. Everything else is left to urllib3 and http.client: sockets,
TLS, tunnels, timeouts, and bodies.
"""

from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse, LineTooLong, UnknownProtocol
from typing import Any

from urllib3 import HTTPHeaderDict
from urllib3 import HTTPResponse as Urllib3HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection

from ._request import head_of

# What http.client allows.
_MAX_LINE = 65536
_MAX_HEADERS = 100
_WITHOUT_BODY = frozenset([204, 304])


def lean(pool: Any) -> Any:
    """Lets a pool make connections of this module, if it makes those of urllib3.

    Others, such as those of vcrpy or of SOCKS proxies, it keeps.
    """
    lean_class = _LEAN.get(pool.ConnectionCls)
    if lean_class is not None:
        pool.ConnectionCls = lean_class
    return pool


class _Response(HTTPResponse):
    """A response of http.client, with the headers in a dictionary of urllib3."""

    def begin(self: Any) -> None:
        """Reads the status and the headers."""
        version, status, reason = self._read_status()
        while 100 <= status < 200 and status != 101:
            self._read_headers()
            version, status, reason = self._read_status()
        self.code = self.status = status
        self.reason = reason.strip()
        if not version.startswith("HTTP/1."):
            raise UnknownProtocol(version)
        self.version = 10 if version == "HTTP/1.0" else 11
        self.headers = self.msg = self._read_headers()
        self._frame_body()

    def _read_headers(self) -> Any:
        items: list[tuple[str, str]] = []
        readline = self.fp.readline
        while True:
            line = readline(_MAX_LINE + 1)
            if len(line) > _MAX_LINE:
                raise LineTooLong("header line")
            if line in (b"\r\n", b"\n", b""):
                return HTTPHeaderDict(items)
            if len(items) == _MAX_HEADERS:
                raise HTTPException(f"got more than {_MAX_HEADERS} headers")
            text = line.decode("iso-8859-1")
            name, colon, value = text.partition(":")
            if text[0] in " \t" and items:  # RFC 9112, 5.2: a value that goes on
                items[-1] = (items[-1][0], f"{items[-1][1]} {text.strip()}")
            elif colon:
                items.append((name, value.strip()))

    def _frame_body(self: Any) -> None:
        # RFC 9112, 6.3: where the body ends.
        headers = self.headers
        self.chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.length = None
        if self.status in _WITHOUT_BODY or self.status < 200 or self._method == "HEAD":
            self.length = 0
        elif not self.chunked:
            lengths = headers.getlist("content-length")
            if lengths and lengths[0].isascii() and lengths[0].isdigit():
                self.length = int(lengths[0])
        self.will_close = self._check_close() or (not self.chunked and self.length is None)


class LeanHTTPConnection(HTTPConnection):
    """A connection without TLS."""

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        chunked: bool = False,
        preload_content: bool = True,
        decode_content: bool = True,
        enforce_content_length: bool = True,
    ) -> None:
        """Sends a request: one of bytes in one packet, any other as urllib3 does."""
        options: dict[str, Any] = {
            "preload_content": preload_content,
            "decode_content": decode_content,
            "enforce_content_length": enforce_content_length,
        }
        self._lean: tuple[str, str, dict[str, Any]] | None = None
        if not isinstance(body, bytes | None) or headers is None or "host" not in headers:
            super().request(method, url, body, headers, chunked=chunked, **options)
            return
        if self.sock is not None and self.sock.gettimeout() != self.timeout:
            self.sock.settimeout(self.timeout)
        self._lean = (method, url, options)
        self.send(head_of(method, url, headers, body).encode("iso-8859-1") + (body or b""))

    def getresponse(self) -> Any:
        """Reads the response up to its body."""
        if self._lean is None:
            return super().getresponse()
        method, url, options = self._lean
        if self.sock.gettimeout() != self.timeout:
            self.sock.settimeout(self.timeout)
        response: Any = _Response(self.sock, method=method)
        try:
            response.begin()
        except BaseException:
            response.close()
            raise
        if response.will_close:
            self.close()
        return Urllib3HTTPResponse(
            body=response,
            headers=response.headers,
            status=response.status,
            version=response.version,
            reason=response.reason,
            original_response=response,
            request_method=method,
            request_url=url,
            **options,
        )


class LeanHTTPSConnection(LeanHTTPConnection, HTTPSConnection):
    """A connection with TLS."""


_LEAN: dict[Any, Any] = {HTTPConnection: LeanHTTPConnection, HTTPSConnection: LeanHTTPSConnection}
