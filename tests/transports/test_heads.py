"""Heads of requests and responses."""

import ssl
import threading
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.rest import HttpRequest
from transports.exchange import exchange, raised
from transports.raw_server import RawServer, answer, send, send_and_close

from azure.communication.identity._transports._urllib3 import Urllib3Transport


def _post(server: RawServer, **options: Any) -> HttpRequest:
    return HttpRequest("POST", f"{server.url}/a", **options)


def headers_of(data: bytes) -> dict[str, str]:
    """The headers of a response that has these bytes for its head."""
    with RawServer(send_and_close(data)) as server:
        headers: Any = exchange("sync", "ours", _post(server), use=lambda each: each.headers)
    return dict(headers.items())


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("POST", None, "0"),
        ("PUT", None, "0"),
        ("GET", None, None),
        ("POST", b"1234", "4"),
        ("POST", "漢", "3"),
    ],
)
def test_the_length_of_a_request(flavour: str, method: str, body: Any, length: str | None) -> None:
    with RawServer(answer()) as server:
        exchange(flavour, "ours", HttpRequest(method, f"{server.url}/a", content=body))
    head = server.requests[0].partition(b"\r\n\r\n")[0].decode().lower()
    lengths = [line for line in head.split("\r\n") if line.startswith("content-length")]
    assert lengths == ([] if length is None else [f"content-length: {length}"])


def test_the_length_of_a_request_is_sent_once(flavour: str) -> None:
    with RawServer(answer()) as server:
        exchange(flavour, "ours", _post(server, headers={"Content-Length": "0"}))
    assert server.requests[0].lower().count(b"content-length") == 1


def test_an_iterator_is_sent_in_chunks() -> None:
    with RawServer(send_and_close(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        exchange("sync", "ours", _post(server, content=iter([b"12", b"34"])))
    assert b"transfer-encoding: chunked" in server.requests[0].lower()


@pytest.mark.parametrize(
    ("name", "value"),
    [("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "a\rb"), ("X", "a\0b"), ("X\r\nY", "a")],
)
def test_a_header_cannot_hold_another(flavour: str, name: str, value: str) -> None:
    with RawServer(answer()) as server:
        with pytest.raises(ValueError, match="line break"):
            exchange(flavour, "ours", _post(server, headers={name: value}))
        assert server.requests == []


@pytest.mark.parametrize(
    ("head", "headers"),
    [
        (b"A: b\r\n", {"A": "b"}),
        (b"A:b\r\n", {"A": "b"}),
        (b"A: b: c \r\n", {"A": "b: c"}),
        (b"A:\r\n", {"A": ""}),
        (b"A: b\nC: d\n", {"A": "b", "C": "d"}),
        (b"A: b\r\n c\r\n\td\r\n", {"A": "b c d"}),
        (b"A: \xfc\r\n", {"A": "ü"}),
        (b" goes on\r\nA: b\r\n", {"A": "b"}),
    ],
)
def test_headers_of_a_response(head: bytes, headers: dict[str, str]) -> None:
    assert headers_of(b"HTTP/1.1 204 No Content\r\n" + head + b"\r\n") == headers


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 65536 + b"\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
    ],
    ids=["version", "too many headers", "too long a header", "status"],
)
@pytest.mark.parametrize("make", ["ours", "stock"])
def test_responses_that_are_none(make: str, head: bytes) -> None:
    with RawServer(send_and_close(head)) as server:
        assert raised("sync", make, _post(server)) is ServiceResponseError


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 2\r\nContent-Length: 2\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: two\r\n",
        b"Connection: close\r\nContent-Length: 2\r\n",
        b"Transfer-Encoding: Chunked\r\n",
    ],
)
def test_where_a_body_ends(head: bytes) -> None:
    body = b"2\r\n{}\r\n0\r\n\r\n" if b"Chunked" in head else b"{}"
    with RawServer(send_and_close(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body)) as server:
        assert exchange("sync", "ours", _post(server)).content == b"{}"


def test_a_head_has_no_body(flavour: str) -> None:
    with RawServer(send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as server:
        request = HttpRequest("HEAD", f"{server.url}/a")
        assert exchange(flavour, "ours", request).content == b""


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_connection_is_kept(secure: bool, server_context: ssl.SSLContext, bundle: str) -> None:
    with (
        RawServer(answer(b"{}"), server_context if secure else None) as server,
        Urllib3Transport(connection_verify=bundle) as transport,
    ):
        for _ in range(3):
            assert transport.send(_post(server)).content == b"{}"
        with transport.send(_post(server), stream=True) as response:
            assert b"".join(response.iter_bytes()) == b"{}"
        assert transport.send(_post(server)).content == b"{}"
    assert server.connections == 1


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    closing = send_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    with RawServer(closing) as server, Urllib3Transport() as transport:
        for _ in range(2):
            assert transport.send(_post(server)).content == b"{}"
            while server.open_connections:
                threading.Event().wait(0.01)
    assert server.connections == 2


def test_a_connection_that_is_to_be_closed_is_not_used_again() -> None:
    with RawServer(answer(b"{}", "Connection: close")) as server, Urllib3Transport() as transport:
        for _ in range(2):
            assert transport.send(_post(server)).content == b"{}"
    assert server.connections == 2


def test_a_body_that_is_not_read_costs_its_connection() -> None:
    # It may still be on its way, and would be taken for the next response.
    without_body = send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    with RawServer(without_body) as server, Urllib3Transport() as transport:
        for _ in range(2):
            with transport.send(_post(server), stream=True):
                pass
    assert server.connections == 2
