"""Whatever a server sends: a result or a documented exception, in time, and the client works on."""

import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from either_client import ClientFactory, EitherClient
from fuzz.targets import (
    FLAVOURS,
    ID,
    JSON_VALUES,
    OPEN,
    changed,
    event_loop,
    near,
    near_bytes,
    target,
)
from hypothesis import strategies as st
from transports.raw_server import RawServer, answer

SECRET = "c2VjcmV0LXRva2VuLW9mLXRoZS11c2Vy"
DOCUMENTED = (HttpResponseError, ServiceRequestError, ServiceResponseError)
TIMEOUT = 3.0
SLOW = 20.0  # on a machine that does other things

CALLS: dict[str, Callable[[EitherClient], object]] = {
    "create_user": lambda client: client.create_user(),
    "create_user_and_token": lambda client: client.create_user_and_token(["chat"]),
    "get_token": lambda client: client.get_token(ID, ["chat"]),
    "delete_user": lambda client: client.delete_user(ID),
    "get_token_for_teams_user": lambda client: client.get_token_for_teams_user("t", "a", "u"),
    "get_teams_extension_assignment": lambda client: client.get_teams_extension_assignment(
        "t", "o"
    ),
    "list_entra_assignments": lambda client: client.items(
        client.list_entra_assignments(api_version="2025-03-02-preview")
    ),
}
"""The methods, each with arguments."""


class Place:
    """A server that sends what it is told, and both clients."""

    def __init__(self) -> None:
        self.sends: bytes | None = None
        self.server = RawServer(self._behave)
        OPEN.enter_context(self.server)
        self.clients = []
        for flavour in FLAVOURS:
            factory = ClientFactory(flavour, event_loop())
            OPEN.callback(factory.close_all)
            self.clients.append(
                factory(self.server.url, retry_total=1, retry_backoff_factor=0, timeout=TIMEOUT)
            )

    def _behave(self, connection: Any) -> None:
        if self.sends is None:
            answer(b"", status="204 No Content")(connection)
        else:
            connection.sendall(self.sends)
            connection.shutdown(2)


@cache
def place() -> Place:
    """The server and the clients of all examples."""
    return Place()


def check(call: str, sends: bytes, *, is_success: bool = False, hides: str = SECRET) -> None:
    """Lets both clients make a call, and then a good one."""
    here = place()
    for client in here.clients:
        here.sends = sends
        started = time.monotonic()
        try:
            CALLS[call](client)
        except DOCUMENTED as error:
            assert not is_success or hides not in f"{error} {error!r}"
        assert time.monotonic() - started < TIMEOUT + SLOW
        here.sends = None
        client.delete_user(ID)


calls = st.sampled_from(sorted(CALLS))
HEADERS = st.tuples(
    st.sampled_from(
        [
            "Content-Type", "Content-Encoding", "Transfer-Encoding", "Location", "Retry-After",
            "retry-after-ms", "x-ms-retry-after-ms", "Date", "WWW-Authenticate", "Connection",
            "x-ms-client-request-id", "x-ms-error-code", "Set-Cookie", "Keep-Alive", "X",
        ]
    ),
    near(
        "application/json", "; charset=", "utf-16", "gzip", "deflate", "br", "identity", "chunked",
        "http://", "127.0.0.1", "/", "0", "soon", "close", "keep-alive", "Bearer ", "claims=", '"',
        'error="insufficient_claims"', ",", "Thu, 26 Nov 2026 03:00:00 GMT", "-1", "inf", "1e999",
        length=4,
    ),
)  # fmt: skip
STATUSES = st.sampled_from(
    [200, 200, 201, 204, 202, 206, 301, 307, 304, 400, 401, 404, 407, 408, 409, 429, 500, 503, 520]
)
FIELDS = ("identity", "id", "token", "accessToken", "expiresOn", "value", "nextLink", "error")
BODIES: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from((*FIELDS, "code", "message", "target", "details", "innererror")),
    JSON_VALUES
    | st.dictionaries(st.sampled_from((*FIELDS, "code", "message", "details")), JSON_VALUES),
)


def response(status: int, headers: list[tuple[str, str]], body: bytes) -> bytes:
    """A response with the length of its body."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {''.join(value.splitlines())}" for name, value in headers]
    head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogatepass")
    return head + (b"" if status in (204, 304) else body)


@target(
    call=calls, status=STATUSES, headers=st.lists(HEADERS, max_size=4), body=BODIES | JSON_VALUES
)
def well_formed(call: str, status: int, headers: list[tuple[str, str]], body: Any) -> None:
    check(call, response(status, headers, json.dumps(body).encode()))


@target(call=calls, body=near_bytes(b'{"token":"', b"}", b'"', b"[", b",", b'"expiresOn":', b"1e9"))
def bodies(call: str, body: bytes) -> None:
    secret = json.dumps(SECRET).encode()
    check(call, response(200, [], body.replace(b'"', secret, 1)), is_success=True)


@target(status=st.sampled_from([401, 404, 409, 429, 500]), body=BODIES)
def error_bodies(status: int, body: Any) -> None:
    check("get_token", response(status, [], json.dumps({"error": body}).encode()))


DATES = changed("2124-03-01T12:30:05.1234567+00:00", "Z", "-", "9") | near(
    "2124-03-01", "T", "12:30:05", ".1234567", "Z", "+00:00", "-99:99", "0000", "9999-12"
)


@target(text=DATES)
def expiries(text: str) -> None:
    body = {"token": SECRET, "expiresOn": text}
    check("get_token", response(200, [], json.dumps(body).encode()), is_success=True)


WAITS = st.one_of(
    near("-", "1e999", "nan", "inf", "soon", "0", "00", "999999999999", length=3),
    st.floats().map(repr),
    st.integers(min_value=4).map(str),
    near("Thu, 26 Nov 2026", " 03:00:00 GMT", "Fri, 31 Dec 9999 23:59:59", " -9999", length=3),
)


@target(name=st.sampled_from(["Retry-After", "retry-after-ms", "x-ms-retry-after-ms"]), text=WAITS)
def waits(name: str, text: str) -> None:
    check("get_token", response(429, [(name, text)], b"{}"))


PIECES = (
    b"HTTP/1.1 ", b"HTTP/1.0 ", b"HTTP/9.9 ", b"200", b"201 OK", b"100 Continue", b"101", b"\r\n",
    b"\n", b"\r", b"\r\n\r\n", b"Content-Length: ", b"Content-Length: 5\r\n", b"-1", b"1" * 30,
    b"Transfer-Encoding: chunked\r\n", b"5\r\n", b"-5\r\n", b"0\r\n\r\n", b"ffffffffffffffffff\r\n",
    b"Content-Encoding: gzip\r\n", b"\x1f\x8b\x08\x00", b"hello", b": ", b" ", b"\0", b"\xff",
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 204 No Content\r\n\r\n", b"Connection: keep-alive\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"HTTP/1.1 100 Continue\r\n\r\n",
    b'{"token":"' + SECRET.encode() + b'"}', b"X: " + b"x" * 9000 + b"\r\n", b"Trailer: X\r\n",
)  # fmt: skip


@target(call=calls, sends=near_bytes(*PIECES, length=10))
def broken_framing(call: str, sends: bytes) -> None:
    check(call, sends, is_success=True)


@target(call=calls, headers=st.lists(HEADERS, max_size=3), cut=st.integers(0, 200))
def cut_short(call: str, headers: list[tuple[str, str]], cut: int) -> None:
    body = json.dumps({"token": SECRET, "expiresOn": "2124-03-01T12:30:05Z", "id": ID})
    check(call, response(200, headers, body.encode())[:cut], is_success=True)
