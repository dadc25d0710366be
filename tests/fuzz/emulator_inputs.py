"""Whatever a client sends to the emulator: an error of the service, and the emulator works on."""

import contextlib
import http.client
import socket
from functools import cache
from urllib.parse import urlsplit

from fuzz.targets import OPEN, changed, near, near_bytes, target
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from acs_identity_emulator import IdentityEmulator
from acs_identity_emulator.authentication.authenticators import (
    Caller,
    HmacAuthenticator,
    WireRequest,
)
from acs_identity_emulator.authentication.signatures import MalformedDateError, parse_date
from acs_identity_emulator.contract.errors import ServiceError
from acs_identity_emulator.http.routing import find_route, operation_at, origin_form
from acs_identity_emulator.operations.bodies import int32, json_object, string, strings
from acs_identity_emulator.state.clock import ServiceClock

KEYS = {"primary": b"key"}
DATE = "Thu, 26 Nov 2026 03:00:00 GMT"
DATES = changed(DATE, "0", "9", "Feb") | near(
    "Thu", ", ", "26", " Nov ", "2026", "03:00:00", " GMT", DATE, "31 Feb", "0000", "99"
)
PATHS = near(
    "/", "identities", "8:acs:x", ":issueAccessToken", "%3A", "..", "?api-version=", "2025-06-30",
    "access", "teamsExtension", "tenants", "assignments", "entra", "teamsUser", "http://x", "//",
    "%ff", "&", "=", "\udcff", "skipToken", "/.emulator/",
)  # fmt: skip
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get", ""])
HMAC = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=AAAA"
AUTHORIZATIONS = changed(HMAC, "&", "=", "Bearer") | near(
    "HMAC-SHA256 ", "SignedHeaders=", "x-ms-date;host;x-ms-content-sha256", "&Signature=", "AAAA",
    "Bearer ", "bearer", "date;host;x-ms-content-sha256", "&", " ", "\udcff", "e30.e30.AAAA",
)  # fmt: skip


@cache
def emulator() -> IdentityEmulator:
    """A running emulator."""
    return OPEN.enter_context(IdentityEmulator())


@target(text=DATES)
def dates_of_requests(text: str) -> None:
    with contextlib.suppress(MalformedDateError):
        assert parse_date(text) < 2**40


@target(method=METHODS, path=PATHS)
def paths(method: str, path: str) -> None:
    operation_at(method, origin_form(path))
    try:
        route = find_route(method, path, "http://x")
    except ServiceError as error:
        assert error.status in (400, 404, 405)
    else:
        assert all(route.path_parameters)


@target(
    authorization=AUTHORIZATIONS,
    others=st.lists(
        st.tuples(st.sampled_from(["Host", "x-ms-date", "Date", "x-ms-content-sha256"]), DATES)
    ),
    path=PATHS,
)
def authorizations(authorization: str, others: list[tuple[str, str]], path: str) -> None:
    headers = CIMultiDictProxy(CIMultiDict([("Authorization", authorization), *others]))
    request = WireRequest("POST", path, headers, b"", is_secure=True)
    clock = ServiceClock(lambda: 1795662000.0)
    found = HmacAuthenticator(lambda: KEYS, lambda: KEYS, clock).authenticate(request)
    assert not isinstance(found, Caller)


JSON = near_bytes(
    b'{"', b'":', b"[", b"]", b"}", b",", b'"', b"null", b"NaN", b"-1", b"1e999", b"\\ud800",
    b"\xff", b"\xfe\xff", b"\0", b"9" * 5000, b'"scopes":["chat"]', b'"expiresInMinutes":',
    b"[" * 3000,
)  # fmt: skip


@target(body=JSON)
def json_bodies(body: bytes) -> None:
    try:
        value = json_object(body)
    except ServiceError as error:
        assert error.status == 400
        return
    for name in value:
        for read in (string, strings, int32):
            try:
                read(value, name or "x")
            except ServiceError as error:
                assert error.status == 400


@target(text=near("e30", ".", "eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJub25lIn0", "AAAA", "=", "\udcff"))
def tokens_of_users(text: str) -> None:
    assert not emulator().is_token_valid(text)


REQUESTS = near_bytes(
    b"POST ", b"GET ", b"/identities", b"?api-version=2025-06-30", b" HTTP/1.1\r\n", b"\r\n",
    b"Host: x\r\n", b"\r\n\r\n", b"Content-Length: 2\r\n", b"Content-Length: -1\r\n", b"{}", b"\0",
    b"Transfer-Encoding: chunked\r\n", b"5\r\n", b"zz\r\n", b"0\r\n\r\n", b"\xff",
    b"Expect: 100-continue\r\n",
    b"Authorization: Bearer a.b.c\r\n", b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b"\x16\x03\x01",
    b"POST /identities?api-version=2025-06-30 HTTP/1.1\r\nHost: x\r\n", b"PRI * HTTP/2.0\r\n\r\n",
)  # fmt: skip


@target(sent=REQUESTS)
def requests_on_the_wire(sent: bytes) -> None:
    address = urlsplit(emulator().endpoint)
    place = address.hostname or "", address.port or 0
    with socket.create_connection(place, timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
    for line in received.split(b"HTTP/1.1 ")[1:]:
        assert line[:1] in b"1234", received
    good = http.client.HTTPConnection(address.netloc, timeout=20)
    good.request("GET", "/identities")
    assert good.getresponse().status in (401, 405)
    good.close()
