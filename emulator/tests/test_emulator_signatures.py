"""HMAC: what was signed must be what was sent, by a key of the resource, within five minutes."""

import base64
import hashlib
from collections.abc import Callable
from email.utils import formatdate
from types import SimpleNamespace
from typing import Protocol

import pytest

from acs_identity_emulator import IdentityEmulator
from acs_identity_emulator.authentication.signatures import MalformedDateError, parse_date

Send = Callable[..., SimpleNamespace]


class Clock(Protocol):
    offset: float

    def __call__(self) -> float: ...


DENIED = "Denied by the resource provider."
HASH_DIFFERS = "Request 'x-ms-content-sha256' differs from generated content hash."
TOO_FAR_OFF = (
    "The time difference between the originating client and the server is greater than the "
    "allowed margin of 5 minutes."
)
TARGET = "/identities?api-version=2025-06-30"


def assert_denied(reply: SimpleNamespace, message: str = DENIED) -> None:
    assert (reply.status, reply.json) == (401, {"error": {"code": "Denied", "message": message}})
    assert "api-supported-versions" not in reply.headers
    assert "WWW-Authenticate" not in reply.headers


@pytest.mark.parametrize("date_header", ["x-ms-date", "date"])
@pytest.mark.parametrize("slot", ["access_key", "secondary_key"])
def test_either_key_and_either_date_header(
    emulator: IdentityEmulator, send: Send, slot: str, date_header: str
) -> None:
    key = getattr(emulator, slot)
    assert send("POST", "/identities", key=key, date_header=date_header).status == 201


def test_another_key(send: Send) -> None:
    assert_denied(send("POST", "/identities", key=base64.b64encode(b"another").decode()))


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer eyJhbGciOiJSUzI1NiJ9.e30.x",
        "Basic dTpw",
        "HMAC-SHA256",
        "HMAC-SHA256 ",
        "HMAC-SHA256 Signature=AAAA",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=AAAA",
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=é",
        "HMAC-SHA256 SignedHeaders=&Signature=AAAA",
        "HMAC-SHA256 SignedHeaders=host&Signature=AAAA",
    ],
)
def test_other_credentials(send: Send, authorization: str | None) -> None:
    assert_denied(send("POST", "/identities", headers={"Authorization": authorization}))


@pytest.mark.parametrize("name", ["x-ms-date", "x-ms-content-sha256"])
@pytest.mark.parametrize("value", [None, "", "x", "é"])
def test_a_signed_header_is_missing_or_other(send: Send, name: str, value: str | None) -> None:
    reply = send("POST", "/identities", headers={name: value})
    assert_denied(reply, HASH_DIFFERS if value is not None and "sha256" in name else DENIED)


@pytest.mark.parametrize("name", ["x-ms-date", "x-ms-content-sha256", "Authorization", "Host"])
def test_a_header_that_decides_comes_twice(send: Send, name: str) -> None:
    reply = send("POST", "/identities", extra=f"{name}: x\r\n".encode())
    assert reply.status in (400, 401)
    assert reply.code in ("BadRequest", "Denied")


def test_signed_headers_decide_which_date_counts(send: Send) -> None:
    stale = formatdate(0, usegmt=True)
    assert send("POST", "/identities", headers={"date": stale}).status == 201
    assert send("POST", "/identities", date_header="date", extra=b"x-ms-date: x\r\n").status == 201


def test_changed_body(send: Send) -> None:
    signed, sent = b'{"createTokenWithScopes": null}', b'{"createTokenWithScopes": []}'
    assert_denied(send("POST", "/identities", signed, sent_body=sent), HASH_DIFFERS)


def test_changed_body_and_its_hash(send: Send) -> None:
    sent = b'{"createTokenWithScopes": []}'
    body_hash = base64.b64encode(hashlib.sha256(sent).digest()).decode()
    headers = {"x-ms-content-sha256": body_hash}
    assert_denied(send("POST", "/identities", b"", sent_body=sent, headers=headers))


def test_changed_date(send: Send, clock: Clock) -> None:
    moved = formatdate(clock() - 10, usegmt=True)
    assert_denied(send("POST", "/identities", headers={"x-ms-date": moved}))


def test_changed_host(send: Send) -> None:
    assert_denied(send("POST", "/identities", headers={"Host": "127.0.0.1"}))


@pytest.mark.parametrize(
    "host", ["contoso.communication.azure.com", "localhost:443", "LOCALHOST", "127.0.0.1"]
)
def test_the_host_header_counts_not_the_address(send: Send, host: str) -> None:
    assert send("POST", "/identities", host=host).status == 201


@pytest.mark.parametrize(
    ("signed_host", "signed_target", "sent_target"),
    [
        ("{host}/", "/identities", "/identities"),  # Python 1.4 and 1.5
        ("{host}/", "identities", "/identities"),  # Python 1.0 to 1.3
        ("{host}", "//identities", "//identities"),
        ("{host}", "//identities", "/identities"),
        ("{host}/", "//identities", "/identities"),
        ("{host}/", "//identities", "//identities"),
    ],
)
def test_an_endpoint_with_a_final_slash(
    emulator: IdentityEmulator,
    send: Send,
    signed_host: str,
    signed_target: str,
    sent_target: str,
) -> None:
    host = emulator.endpoint.partition("://")[2].rstrip("/")
    reply = send(
        "POST",
        signed_target,
        host=signed_host.format(host=host),
        headers={"Host": host},
        request_target=f"{sent_target}?api-version=2025-06-30",
    )
    assert reply.status == 201


def test_other_hosts_are_not_accepted(emulator: IdentityEmulator, send: Send) -> None:
    host = emulator.endpoint.partition("://")[2].rstrip("/")
    for signed in (f"{host}//", f"/{host}", "x"):
        assert send("POST", "/identities", host=signed, headers={"Host": host}).status == 401


@pytest.mark.parametrize(("offset", "allowed"), [(-310, 0), (-290, 1), (290, 1), (310, 0)])
def test_five_minutes(send: Send, clock: Clock, offset: float, allowed: int) -> None:
    date = formatdate(clock(), usegmt=True)
    clock.offset = offset
    reply = send("POST", "/identities", date=date)
    if allowed:
        assert reply.status == 201
    else:
        assert_denied(reply, TOO_FAR_OFF)


@pytest.mark.parametrize(("offset", "allowed"), [(-301, 0), (-300, 1), (300, 1), (301, 0)])
def test_exactly_five_minutes(send: Send, offset: float, allowed: int) -> None:
    with IdentityEmulator(clock=lambda: 1_795_662_000.0) as frozen:
        date = formatdate(1_795_662_000 + offset, usegmt=True)
        reply = send("POST", "/identities", to=frozen, date=date)
    if allowed:
        assert reply.status == 201
    else:
        assert_denied(reply, TOO_FAR_OFF)


@pytest.mark.parametrize(
    "date",
    [
        "Thu, 31 Feb 2026 00:00:00 GMT",
        "Thu, 01 Jan 2026 24:00:00 GMT",
        "Thu, 01 Jxn 2026 00:00:00 GMT",
        "Thu, 01 Jan 0000 00:00:00 GMT",
        "Thu, 01 Jan 2026 00:00:00 +0000",
        "2026-01-01T00:00:00Z",
        "1767225600",
    ],
)
def test_a_date_that_is_none(send: Send, date: str) -> None:
    assert_denied(send("POST", "/identities", date=date))


@pytest.mark.parametrize(
    ("date", "problem"),
    [
        ("Wed, 00 Jan 2026 00:00:00 GMT", "a day that does not exist"),
        ("Sun, 29 Feb 2026 00:00:00 GMT", "a day that does not exist"),
        ("Thu, 01 Jan 2026 24:00:00 GMT", "a time that does not exist"),
        ("Thu, 01 Jan 2026 00:60:00 GMT", "a time that does not exist"),
        ("Thu, 01 Jan 2026 00:00:60 GMT", "a time that does not exist"),
    ],
)
def test_a_date_that_does_not_exist(date: str, problem: str) -> None:
    with pytest.raises(MalformedDateError, match=problem):
        parse_date(date)


def test_the_last_second_of_a_day_and_of_a_year() -> None:
    assert parse_date("Wed, 31 Dec 2025 23:59:59 GMT") == 1767225599


@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        ("/identities/8:acs:1", "/identities/8%3Aacs:1"),
        ("/identities/8%3Aacs%3A1", "/identities/8%3aacs%3a1"),
        ("/identities/a%2Fb", "/identities/a%2fb"),
        ("/identities/a%20b", "/identities/a+b"),
        ("/identities/a%7Eb", "/identities/a~b"),
        ("/identities/./a", "/identities/a"),
    ],
)
def test_the_signature_is_over_the_path_as_sent(
    emulator: IdentityEmulator, send: Send, signed: str, sent: str
) -> None:
    for target in (signed, sent):
        assert send("DELETE", target).status != 401
    query = "?api-version=2025-06-30"
    genuine = capture(emulator, send, signed + query)
    assert genuine(signed + query).status != 401
    assert_denied(genuine(sent + query))


@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        ("api-version=2025-06-30", "api-version=2023-10-01"),
        ("api-version=2025-06-30", "api-version=2025-06-30&"),
        ("api-version=2025%2D06-30", "api-version=2025-06-30"),
        ("api-version=2025-06-30&a=+", "api-version=2025-06-30&a=%20"),
        ("a=%3a&api-version=2025-06-30", "a=%3A&api-version=2025-06-30"),
        ("b&a&api-version=2025-06-30", "a&b&api-version=2025-06-30"),
    ],
)
def test_the_signature_is_over_the_query_as_sent(
    emulator: IdentityEmulator, send: Send, signed: str, sent: str
) -> None:
    genuine = capture(emulator, send, f"/identities?{signed}")
    assert genuine(f"/identities?{signed}").code in (None, "MethodNotAllowed")
    assert_denied(genuine(f"/identities?{sent}"))


def capture(
    emulator: IdentityEmulator, send: Send, signed: str
) -> Callable[[str], SimpleNamespace]:
    """Sends requests to any target with the credentials made for `signed`."""
    from email.utils import formatdate as format_date
    from hmac import digest

    host = emulator.endpoint.removeprefix("http://").rstrip("/")
    date = format_date(usegmt=True)
    body_hash = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    text = f"DELETE\n{signed}\n{date};{host};{body_hash}"
    made = base64.b64encode(digest(base64.b64decode(emulator.access_key), text.encode(), "sha256"))
    headers = {
        "x-ms-date": date,
        "Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
        f"&Signature={made.decode()}",
    }
    return lambda target: send("DELETE", target, version=None, headers=headers)
