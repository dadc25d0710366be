"""A server that misbehaves as a fault tells it to, and answers as the service does otherwise."""

import json
import re
import socket
import ssl
from collections.abc import Callable

from transports.raw_server import RawServer

TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXRva2Vu.c2VjcmV0"
"""Part of every response, and of nothing that is printed."""

Script = Callable[[socket.socket, bytes], None]
"""What to do with a connection on which a request was received."""

REQUEST_ID = "x-ms-client-request-id"
_ID_LINE = re.compile(rb"x-ms-client-request-id: *(\S+)\r\n", re.IGNORECASE)


class FaultServer(RawServer):
    """Lets a script answer requests.

    :param script: The script.
    :param context: Makes it a TLS server.
    :param greets: Whether the script runs before a request is read.
    """

    def __init__(
        self, script: Script, context: ssl.SSLContext | None = None, *, greets: bool = False
    ) -> None:
        super().__init__(lambda connection: script(connection, self.requests[-1]), context)
        self._greets = greets
        self._script = script

    def _answer(self, connection: socket.socket) -> None:
        if self._greets:
            self._script(connection, b"")
        else:
            super()._answer(connection)


def request_id(request: bytes) -> str:
    """The ``x-ms-client-request-id`` of a request."""
    match = _ID_LINE.search(request)
    return "" if match is None else match[1].decode()


def without_ids(response: bytes) -> bytes:
    """A response that echoes no id, as those of other services."""
    return _ID_LINE.sub(b"", response)


def good_body(request: bytes) -> bytes:
    """What the service answers, with the id of the request in it."""
    line = request.partition(b"\r\n")[0]
    token = {"token": f"{TOKEN}{request_id(request)}", "expiresOn": "2099-01-01T00:00:00Z"}
    if _has_token(line):
        return json.dumps(token).encode()
    if line.startswith(b"POST"):
        return json.dumps({"identity": {"id": f"8:acs:{request_id(request)}"}}).encode()
    if line.startswith(b"GET"):
        assignment = {
            "objectId": request_id(request),
            "tenantId": "t",
            "principalType": "user",
            "clientIds": [],
        }
        return json.dumps({"value": [assignment]}).encode()
    return b""


def _has_token(line: bytes) -> bool:
    return b":issueAccessToken" in line or b":exchangeAccessToken" in line


def good_head(request: bytes) -> bytes:
    """Status line and headers of a success, without an end and a length."""
    line = request.partition(b"\r\n")[0]
    status = "204 No Content" if line.startswith(b"DELETE") else "200 OK"
    if line.startswith(b"POST") and not _has_token(line):
        status = "201 Created"
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", ""]
    if own_id := request_id(request):
        lines.insert(2, f"{REQUEST_ID}: {own_id}")
    return "\r\n".join(lines).encode()


def good(request: bytes, *headers: str) -> bytes:
    """A whole response of the service.

    :param request: The request.
    :param headers: Header lines to add.
    """
    body = good_body(request)
    return whole(good_head(request), body, *headers)


def whole(head: bytes, body: bytes, *headers: str) -> bytes:
    """A response with its length.

    :param head: Status line and headers, each with its line break.
    :param body: The body.
    :param headers: Header lines to add.
    """
    lines = [f"Content-Length: {len(body)}"] if b" 204 " not in head[:16] else []
    return head + "".join(f"{line}\r\n" for line in [*lines, *headers]).encode() + b"\r\n" + body
