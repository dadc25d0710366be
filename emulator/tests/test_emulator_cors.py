"""Browsers may call the service from any page, but not the emulator's own paths."""

import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from acs_identity_emulator import IdentityEmulator

from .conftest import LATEST, exchange

Send = Callable[..., SimpleNamespace]
ORIGIN: dict[str, str | None] = {"Origin": "https://app.example"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/identities", 201), ("GET", "/identities", 405), ("POST", "/nowhere", 404)],
)
def test_every_response_allows_every_origin(
    send: Send, method: str, path: str, status: int
) -> None:
    reply = send(method, path, headers=ORIGIN)
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (status, "*")
    assert send(method, path).headers["Access-Control-Allow-Origin"] is None


def test_errors_before_authentication_too(send: Send) -> None:
    reply = send("POST", "/identities", key="QUJD", headers=ORIGIN)
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (401, "*")


@pytest.mark.parametrize(
    ("fault", "status"),
    [("html", 503), ("status:429", 429), ("truncated", 201), ("no-fields", 201), ("delay:0", 201)],
)
def test_faults_too(emulator: IdentityEmulator, send: Send, fault: str, status: int) -> None:
    """A page sees them as what they are, and not as a broken connection."""
    for headers, allowed in ((ORIGIN, "*"), ({}, None)):
        emulator.inject("create", fault)
        reply = send("POST", "/identities", headers=headers)
        assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (status, allowed)


@pytest.mark.parametrize(
    ("lines", "body", "status"),
    [
        (["Content-Length: 1048577"], b"x" * 1048577, 413),
        ([f"X-Long: {'x' * 66000}", "Content-Length: 0"], b"", 400),
    ],
)
def test_invalid_http_too(
    emulator: IdentityEmulator, lines: list[str], body: bytes, status: int
) -> None:
    head = "\r\n".join(["POST /identities HTTP/1.1", "Host: x", *lines, "Origin: x", "", ""])
    reply = exchange(emulator.endpoint, head.encode() + body, "POST")
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (status, "*")


def preflight(emulator: IdentityEmulator, path: str, *headers: str) -> SimpleNamespace:
    lines = [f"OPTIONS {path} HTTP/1.1", "Host: x", *headers, "", ""]
    return exchange(emulator.endpoint, "\r\n".join(lines).encode(), "OPTIONS")


def test_a_preflight_request_gets_what_it_asks_for(emulator: IdentityEmulator) -> None:
    """A preflight carries no credentials, so none are required."""
    names = "authorization,content-type,x-ms-client-request-id"
    reply = preflight(
        emulator,
        f"/access/entra/:exchangeAccessToken?api-version={LATEST}",
        "Origin: https://app.example",
        "Access-Control-Request-Method: POST",
        f"Access-Control-Request-Headers: {names}",
    )
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert reply.headers["Access-Control-Allow-Methods"] == "POST"
    assert reply.headers["Access-Control-Allow-Headers"] == names


def test_a_preflight_request_is_logged_and_is_not_a_call(
    emulator: IdentityEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "acs_identity_emulator")
    emulator.reset()
    preflight(emulator, "/identities", "Origin: x", "Access-Control-Request-Method: POST")
    (line,) = caplog.messages
    assert re.fullmatch(r"OPTIONS /identities 204 \d+ms -", line)
    assert len(emulator.requests) == 0


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Origin: https://app.example",),
        ("Access-Control-Request-Method: POST",),
    ],
)
def test_other_options_requests_are_like_any(
    emulator: IdentityEmulator, headers: tuple[str, ...]
) -> None:
    assert preflight(emulator, "/identities", *headers).status == 401


def test_nothing_but_plain_text_is_sent_back(emulator: IdentityEmulator) -> None:
    reply = preflight(
        emulator,
        "/identities",
        "Origin: x",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: é",
    )
    assert reply.headers["Access-Control-Allow-Headers"] is None


@pytest.mark.parametrize("path", ["faults", "jwks.json", "nowhere"])
def test_own_paths_are_not_for_pages_of_other_origins(send: Send, path: str) -> None:
    reply = send("GET", f"/.emulator/{path}", headers=ORIGIN)
    assert reply.headers["Access-Control-Allow-Origin"] is None


def test_no_preflight_for_own_paths(emulator: IdentityEmulator) -> None:
    reply = preflight(
        emulator, "/.emulator/reset", "Origin: x", "Access-Control-Request-Method: POST"
    )
    assert reply.status != 204
    assert reply.headers["Access-Control-Allow-Origin"] is None
