"""Heads of requests and responses."""

from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.rest import HttpRequest
from transports.exchange import exchange, raised
from transports.raw_server import RawServer, answer, send, send_and_close


def _post(server: RawServer, **options: Any) -> HttpRequest:
    return HttpRequest("POST", f"{server.url}/a", **options)


def headers_of(flavour: str, data: bytes) -> dict[str, str]:
    """The headers of a response that has these bytes for its head."""
    with RawServer(send_and_close(data)) as server:
        headers: Any = exchange(flavour, "ours", _post(server), use=lambda each: each.headers)
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
        (b"A: b\r\nA: c\r\n", {"A": "b, c"}),
        (b"A: \xc3\xbc\r\n", {"A": "ü"}),
    ],
)
def test_headers_of_a_response(flavour: str, head: bytes, headers: dict[str, str]) -> None:
    if "ü" in str(headers) and flavour == "sync":
        headers = {"A": "Ã¼"}  # http.client decodes Latin-1, aiohttp UTF-8
    assert headers_of(flavour, b"HTTP/1.1 204 No Content\r\n" + head + b"\r\n") == headers


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 65536 + b"\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n goes on\r\nA: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
    ],
    ids=[
        "too many headers",
        "too long a header",
        "status",
        "folded first line",
        "two lengths",
        "a length twice",
        "negative length",
        "length in words",
    ],
)
def test_malformed_responses(flavour: str, head: bytes) -> None:
    with RawServer(send_and_close(head)) as server:
        assert raised(flavour, "ours", _post(server)) is ServiceResponseError


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"Connection: close\r\nContent-Length: 2\r\n",
        b"Transfer-Encoding: Chunked\r\n",
    ],
)
def test_where_a_body_ends(flavour: str, head: bytes) -> None:
    body = b"2\r\n{}\r\n0\r\n\r\n" if b"Chunked" in head else b"{}"
    with RawServer(send_and_close(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body)) as server:
        assert exchange(flavour, "ours", _post(server)).content == b"{}"


def test_a_head_has_no_body(flavour: str) -> None:
    with RawServer(send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as server:
        request = HttpRequest("HEAD", f"{server.url}/a")
        assert exchange(flavour, "ours", request).content == b""
