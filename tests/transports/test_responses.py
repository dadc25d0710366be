"""Responses are the same on our transports as on those of azure-core."""

import gzip
import socket
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResponseNotReadError,
    ServiceRequestError,
    StreamClosedError,
    StreamConsumedError,
)
from azure.core.pipeline.transport import HttpRequest as OlderHttpRequest
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse
from transports.exchange import Received, exchange, raised
from transports.raw_server import Behaviour, RawServer, answer, send, send_and_close

from azure.communication.identity._shared.urls import split_url

_TEXT = '{"name": "Zoë"}'
_BODY = _TEXT.encode()


_GZIP = gzip.compress(_BODY * 500)


def _deflated() -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(_BODY) + compressor.flush()


JSON = "Content-Type: application/json; charset=utf-8"
ANSWERS: dict[str, Behaviour] = {
    "length": answer(_BODY, JSON),
    "empty": answer(b""),
    "no content": send(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "chunked": send(
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"nam\r\n2\r\ne"\r\n0\r\n\r\n'
    ),
    "until closed": send_and_close(b"HTTP/1.1 200 OK\r\n\r\n" + _BODY),
    "HTTP/1.0": send_and_close(b"HTTP/1.0 200 OK\r\n\r\n" + _BODY),
    "continue": send(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    ),
    "gzip": answer(gzip.compress(_BODY), JSON, "Content-Encoding: gzip"),
    "raw deflate": answer(_deflated(), JSON, "Content-Encoding: deflate"),
    "byte order mark": answer(b"\xef\xbb\xbf{}", JSON),
    "latin": answer("Zoë".encode("latin-1"), "Content-Type: text/plain; charset=iso-8859-1"),
    "no charset": answer(b"Zo\xff", "Content-Type: text/plain"),
    "unknown charset": answer(_BODY, "Content-Type: text/plain; charset=none-such"),
    "error": answer(b"<html>", "Content-Type: text/html", status="503 Service Unavailable"),
    "no reason": send(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"),
    "redirect": answer(b"", "Location: /elsewhere", status="307 Temporary Redirect"),
}


def _request(server: RawServer) -> HttpRequest:
    return HttpRequest("POST", f"{server.url}/a", content=b"{}")


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer(flavour: str, name: str) -> None:
    with RawServer(ANSWERS[name]) as server:
        ours, stock = (exchange(flavour, make, _request(server)) for make in ("ours", "stock"))
    assert isinstance(ours, Received)
    assert ours == stock


def test_deflate_with_the_header_of_zlib(flavour: str) -> None:
    # requests inflates both kinds, AioHttpTransport only the other one.
    with RawServer(answer(zlib.compress(_BODY), "Content-Encoding: deflate")) as server:
        assert exchange(flavour, "ours", _request(server)).content == _BODY


def _blocks(flavour: str, method: str) -> Callable[[Any], Any]:
    if flavour == "sync":
        return lambda response: list(getattr(response, method)())

    async def read(response: Any) -> list[bytes]:
        return [block async for block in getattr(response, method)()]

    return read


@pytest.mark.parametrize(
    ("stream", "method", "content"),
    [
        (False, "iter_bytes", _BODY * 500),
        (True, "iter_bytes", _BODY * 500),
        (True, "iter_raw", _GZIP),
        (True, "stream_download", _BODY * 500),
    ],
    ids=["read", "decoded", "raw", "older"],
)
def test_blocks(flavour: str, method: str, content: bytes, stream: bool) -> None:
    behave = answer(_GZIP, "Content-Encoding: gzip")
    with RawServer(behave) as server:
        blocks = exchange(
            flavour,
            "ours",
            _request(server),
            settings={"connection_data_block_size": 1000},
            use=_blocks(flavour, method),
            stream=stream,
        )
    assert b"".join(blocks) == content
    if not stream:
        assert {len(block) for block in blocks[:-1]} == {1000}


def test_the_body_of_a_stream_is_read_later(flavour: str) -> None:
    with RawServer(answer(_BODY)) as server:
        content = exchange(
            flavour, "ours", _request(server), use=lambda response: response.read(), stream=True
        )
    assert content == _BODY


def test_a_stream_is_read_once(flavour: str) -> None:
    async def read_twice_async(response: Any) -> None:
        assert not response.is_stream_consumed
        with pytest.raises(ResponseNotReadError):
            _ = response.content
        async for _ in response.iter_raw():
            pass
        assert response.is_stream_consumed
        with pytest.raises(StreamConsumedError):
            async for _ in response.iter_raw():
                pass

    def read_twice(response: Any) -> None:
        assert not response.is_stream_consumed
        with pytest.raises(ResponseNotReadError):
            _ = response.content
        list(response.iter_raw())
        assert response.is_stream_consumed
        with pytest.raises(StreamConsumedError):
            list(response.iter_raw())

    use = read_twice if flavour == "sync" else read_twice_async
    with RawServer(answer(_BODY)) as server:
        exchange(flavour, "ours", _request(server), use=use, stream=True)


def test_a_stream_that_was_closed_is_not_read(flavour: str) -> None:
    async def close_and_read_async(response: Any) -> None:
        async with response:
            pass
        with pytest.raises(StreamClosedError):
            await response.read()

    def close_and_read(response: Any) -> None:
        with response:
            pass
        with pytest.raises(StreamClosedError):
            response.read()

    use = close_and_read if flavour == "sync" else close_and_read_async
    with RawServer(answer(_BODY)) as server:
        exchange(flavour, "ours", _request(server), use=use, stream=True)


def test_what_else_there_is_to_a_response(flavour: str) -> None:
    def look(response: Any) -> None:
        kind: Any = HttpResponse if flavour == "sync" else AsyncHttpResponse
        assert isinstance(response, kind)
        assert response.request is request
        assert response.url == request.url
        assert response.is_closed
        assert response.headers["X-TWICE"] == "a, b"
        assert "x-twice" in response.headers
        assert response.json() == {"name": "Zoë"}
        assert response.body() == _BODY
        assert response.encoding == "utf-8"
        response.encoding = "latin-1"
        assert response.text() == _BODY.decode("latin-1")
        assert response.text("utf-8") == _TEXT
        assert "404" in repr(response)
        assert response.internal_response is not None
        with pytest.raises(HttpResponseError) as raised:
            response.raise_for_status()
        assert raised.value.status_code == 404

    behave = answer(_BODY, JSON, "X-Twice: a", "x-twice: b", status="404 Not Found")
    with RawServer(behave) as server:
        request = _request(server)
        exchange(flavour, "ours", request, use=look)


def test_a_request_of_the_older_kind(flavour: str) -> None:
    with RawServer(answer(_BODY)) as server:
        request: Any = OlderHttpRequest("POST", f"{server.url}/a", data=b"body")
        assert exchange(flavour, "ours", request).content == _BODY
    assert server.requests[0].endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize("body", [{"data": {"a": "b"}}, {"files": {"a": b"b"}}])
def test_forms_and_files_are_refused(flavour: str, body: Any) -> None:
    with RawServer(answer()) as server:
        request = HttpRequest("POST", f"{server.url}/a", **body)
        with pytest.raises(TypeError, match="RequestsTransport"):
            exchange(flavour, "ours", request)
    assert server.requests == []


def test_the_url_is_sent_as_it_was_signed(flavour: str) -> None:
    # AioHttpTransport would send ":" and "~" in place of what is quoted here without need.
    target = "/a%3Ab%7E/:c?x=%3A%2F&y=a:b"
    with RawServer(answer()) as server:
        exchange(flavour, "ours", HttpRequest("GET", server.url + target))
    assert server.requests[0].startswith(f"GET {target} HTTP/1.1\r\n".encode())


def test_the_headers_that_are_sent(flavour: str) -> None:
    with RawServer(answer(_BODY)) as server:
        for make in ("ours", "stock"):
            exchange(flavour, make, _request(server))
    ours, stock = (_names(request) for request in server.requests)
    # requests and aiohttp say what else they take; neither says anything that matters here.
    assert ours - stock == set()
    assert stock - ours <= {"accept", "connection", "content-type", "user-agent"}


def test_a_host_of_the_caller_is_the_one_that_is_sent(flavour: str) -> None:
    with RawServer(answer()) as server:
        request = HttpRequest("GET", f"{server.url}/a", headers={"Host": "virtual.example"})
        exchange(flavour, "ours", request)
    lines = server.requests[0].lower().split(b"\r\n")
    assert [line for line in lines if line.startswith(b"host:")] == [b"host: virtual.example"]


@pytest.mark.parametrize("name", ["localhost", "localhost.", "LocalHost"])
def test_the_host_is_sent_as_it_was_signed(
    flavour: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo
    # Not every resolver knows a localhost that ends in a dot.
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _, *args, **kwargs: look_up("127.0.0.1", *args, **kwargs)
    )
    with RawServer(answer()) as server:
        url = f"http://{name}:{server.port}/"
        exchange(flavour, "ours", HttpRequest("GET", url))
    _, signed, _ = split_url(url)
    assert f"\r\nhost: {signed}\r\n".encode() in server.requests[0].lower()


def test_a_method_in_lower_case(flavour: str) -> None:
    with RawServer(send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")) as server:
        assert exchange(flavour, "ours", HttpRequest("head", server.url)).content == b""
    assert server.requests[0].startswith(b"HEAD ")


def test_a_space_in_the_url(flavour: str) -> None:
    with RawServer(answer()) as server:
        assert exchange(flavour, "ours", HttpRequest("GET", f"{server.url}/a b")).status == 200


def test_a_port_that_is_none(flavour: str) -> None:
    request = HttpRequest("GET", "http://127.0.0.1:99999/")
    assert raised(flavour, "ours", request) is ServiceRequestError


def test_no_time_limit(flavour: str) -> None:
    slow = send_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"{}")
    with RawServer(slow) as server:
        timeout = 0 if flavour == "async" else None  # as their libraries have it
        assert exchange(flavour, "ours", _request(server), read_timeout=timeout).content == b"{}"


def test_slow_headers_leave_the_body_its_own_time(flavour: str) -> None:
    def behave(connection: socket.socket) -> None:
        for part, pause in ((b"HTTP/1.1 200 OK", 0.3), (b"\r\n", 0.01), (b"Content-Length: 2", 0)):
            connection.sendall(part)
            time.sleep(pause)
        connection.sendall(b"\r\n\r\n")
        time.sleep(0.5)
        connection.sendall(b"{}")

    with RawServer(behave) as server:
        assert exchange(flavour, "ours", _request(server), read_timeout=0.75).content == b"{}"


def _names(request: bytes) -> set[str]:
    return {line.partition(b":")[0].decode().lower() for line in request.split(b"\r\n")[1:-2]}
