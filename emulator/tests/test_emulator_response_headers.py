"""The headers that the service puts on its answers."""

import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Protocol

import pytest

Send = Callable[..., SimpleNamespace]


class Clock(Protocol):
    offset: float

    def __call__(self) -> float: ...


@pytest.fixture(params=["success", "no content", "error", "denied", "not http"])
def reply(
    send: Send, send_bytes: Send, user: str, request: pytest.FixtureRequest
) -> SimpleNamespace:
    match request.param:
        case "success":
            return send("POST", "/identities")
        case "no content":
            return send("POST", f"/identities/{user}/:revokeAccessTokens")
        case "error":
            return send("POST", "/identities", {"expiresInMinutes": 1})
        case "denied":
            return send("POST", "/identities", headers={"Authorization": None})
        case _:
            return send_bytes(b"?\r\n\r\n")


def test_on_every_answer(reply: SimpleNamespace, clock: Clock) -> None:
    headers = reply.headers
    assert headers["Request-Context"] == "appId="
    assert headers["Strict-Transport-Security"] == "max-age=31536000;includeSubDomains"
    assert headers["X-Cache"] == "CONFIG_NOCACHE"
    assert re.fullmatch(r"[A-Za-z0-9+/]{22}\.0", headers["MS-CV"])
    assert re.fullmatch(r"\d+ms", headers["X-Processing-Time"])
    assert re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", headers["X-Azure-Ref"])
    assert abs(parsedate_to_datetime(headers["Date"]).timestamp() - clock()) < 10
    assert headers["Date"].endswith(" GMT")


def test_length_and_type(send: Send, user: str) -> None:
    def framing(reply: SimpleNamespace) -> tuple[str | None, ...]:
        names = ("Content-Type", "Content-Length", "Transfer-Encoding")
        return tuple(reply.headers[name] for name in names)

    success = send("POST", "/identities")
    assert framing(success) == ("application/json; charset=utf-8", str(len(success.body)), None)
    assert framing(send("POST", "/identities", b"{")) == ("application/json", None, "chunked")
    assert framing(send("DELETE", f"/identities/{user}")) == (None, None, None)


def test_no_two_answers_share_an_id(send: Send) -> None:
    first, second = send("POST", "/identities"), send("POST", "/identities")
    for name in ("MS-CV", "X-Azure-Ref"):
        assert first.headers[name] != second.headers[name]


@pytest.mark.parametrize("body", [b"", b"{"])
def test_client_request_id_is_echoed(send: Send, body: bytes) -> None:
    headers = {"x-ms-client-request-id": "5f2c, any text"}
    reply = send("POST", "/identities", body, headers=headers)
    assert reply.headers["x-ms-client-request-id"] == "5f2c, any text"
    assert "x-ms-client-request-id" not in send("POST", "/identities", body).headers


def test_a_client_request_id_that_is_no_text(send: Send) -> None:
    reply = send("POST", "/identities", extra=b"x-ms-client-request-id: \xff\xfe\r\n")
    assert reply.status == 201
    assert "x-ms-client-request-id" not in reply.headers


def test_date_is_the_clock_of_the_service(send: Send, send_bytes: Send, clock: Clock) -> None:
    clock.offset = 7200.0
    for reply in (send("POST", "/identities"), send_bytes(b"nonsense\r\n\r\n")):
        assert abs(parsedate_to_datetime(reply.headers["Date"]).timestamp() - clock()) < 10


@pytest.mark.parametrize(
    ("asked", "answered"), [("2.0", 11), ("1.1", 11), ("1.0", 10), ("0.9", 10)]
)
def test_version_of_http(send: Send, asked: str, answered: int) -> None:
    assert send("POST", "/identities", protocol=f"HTTP/{asked}").version == answered


def test_supported_versions(send: Send, user: str) -> None:
    header = "api-supported-versions"
    identities = send("POST", "/identities").headers[header].split(", ")
    assert identities == sorted(identities)
    assert identities[0] == "2020-07-20-preview2"
    assert identities[-1] == "2026-09-23"
    teams = {"token": "x", "appId": "x", "userId": "x"}
    assert header not in send("POST", "/teamsUser/:exchangeAccessToken", teams).headers
    revoke = send("POST", f"/identities/{user}/:revokeAccessTokens")
    assert revoke.headers[header].split(", ") == identities


@pytest.mark.parametrize(
    ("method", "path", "version", "accepts"),
    [
        ("GET", "/identities/{user}", "2025-03-02-preview", "bytes"),
        ("GET", "/identities/x", "2025-03-02-preview", "bytes"),
        ("GET", "/nowhere", "2025-06-30", "bytes"),
        ("POST", "/identities", "2025-06-30", None),
        ("DELETE", "/identities/{user}", "2025-06-30", None),
    ],
)
def test_accept_ranges_of_every_get(
    send: Send, user: str, method: str, path: str, version: str, accepts: str | None
) -> None:
    reply = send(method, path.format(user=user), version=version)
    assert reply.headers["Accept-Ranges"] == accepts
