"""Each failure is the same exception on our transports as on those of azure-core."""

import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.rest import HttpRequest
from transports.exchange import STOCK_IS_PRECISE, raised
from transports.raw_server import (
    Behaviour,
    RawServer,
    send,
    send_and_close,
    send_and_hang,
    send_and_reset,
)

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_TEN = _HEAD + b"Content-Length: 10\r\n\r\n12345"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_CODED = _HEAD + b"Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\nno gzip at"

# The behaviour, and the exceptions: sync and async, for a body that is read at once; sync and
# async, for a body that is streamed.
FAILURES: dict[str, tuple[Behaviour, tuple[type[AzureError] | None, ...]]] = {
    "closed without an answer": (
        send_and_close(b""),
        (ServiceResponseError, ServiceRequestError, ServiceResponseError, ServiceRequestError),
    ),
    "reset without an answer": (
        send_and_reset(b""),
        (ServiceResponseError, ServiceRequestError, ServiceResponseError, ServiceRequestError),
    ),
    "closed in the headers": (
        send_and_close(_HEAD),
        (None, ServiceRequestError, None, ServiceRequestError),
    ),
    "no answer": (
        send_and_hang(b""),
        (ServiceResponseTimeoutError,) * 4,
    ),
    "no HTTP": (
        send_and_close(b"SSH-2.0-OpenSSH\r\n\r\n"),
        (ServiceResponseError,) * 4,
    ),
    "closed in the body": (
        send_and_close(_TEN),
        (IncompleteReadError,) * 4,
    ),
    "reset in the body": (
        send_and_reset(_TEN),
        (HttpResponseError, IncompleteReadError, HttpResponseError, IncompleteReadError),
    ),
    "silence in the body": (
        send_and_hang(_TEN),
        (
            ServiceRequestError,
            ServiceResponseTimeoutError,
            ServiceResponseTimeoutError,
            ServiceResponseTimeoutError,
        ),
    ),
    "closed in a chunk": (
        send_and_close(_CHUNKED + b"a\r\n12345"),
        (IncompleteReadError,) * 4,
    ),
    "closed between chunks": (
        send_and_close(_CHUNKED + b"2\r\n{}\r\n"),
        (HttpResponseError, IncompleteReadError, HttpResponseError, IncompleteReadError),
    ),
    "no gzip": (
        send(_CODED),
        (ServiceResponseError, DecodeError, DecodeError, DecodeError),
    ),
}

# AioHttpTransport lets what zlib raises through, which no caller looks for.
BETTER = {"no gzip"}


def _request(url: str) -> HttpRequest:
    return HttpRequest("POST", f"{url}/identities", content=b"{}")


def _streamed(flavour: str) -> Callable[[Any], Any]:
    if flavour == "sync":
        return lambda response: b"".join(response.iter_bytes())

    async def read(response: Any) -> bytes:
        return b"".join([block async for block in response.iter_bytes()])

    return read


@pytest.mark.parametrize("stream", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("name", FAILURES)
def test_a_misbehaving_server(flavour: str, stream: bool, name: str) -> None:
    behave, expected = FAILURES[name]
    error = expected[2 * stream + (flavour == "async")]
    outcomes = {}
    for make in ("ours", "stock"):
        with RawServer(behave) as server:
            outcomes[make] = raised(
                flavour,
                make,
                _request(server.url),
                use=_streamed(flavour) if stream else None,
                stream=stream,
                read_timeout=0.3,
            )
    assert outcomes["ours"] is error
    if STOCK_IS_PRECISE and not (name in BETTER and flavour == "async"):
        assert outcomes["stock"] is error


_BAD_CHUNK = b"x\r\n{}\r\n0\r\n\r\n"


@pytest.mark.parametrize("parts", [(_CHUNKED + _BAD_CHUNK,), (_CHUNKED, _BAD_CHUNK)])
def test_a_chunk_without_a_length(flavour: str, parts: tuple[bytes, ...]) -> None:
    # AioHttpTransport waits for ever when the chunk comes after the headers, and otherwise its
    # exception depends on who is faster.
    with RawServer(send_and_close(*parts)) as server:
        error = raised(flavour, "ours", _request(server.url), read_timeout=0.3)
        if flavour == "sync":
            assert error is raised(flavour, "stock", _request(server.url)) is HttpResponseError
        else:
            assert error in (ServiceResponseError, IncompleteReadError, ServiceResponseTimeoutError)


@pytest.mark.parametrize("make", ["ours", "stock"])
class TestNoConnection:
    """There is nobody to answer."""

    def test_refused(self, flavour: str, make: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        error = raised(flavour, make, _request(f"http://127.0.0.1:{port}"))
        assert error is ServiceRequestError

    def test_a_name_that_is_none(self, flavour: str, make: str) -> None:
        assert raised(flavour, make, _request("http://a.invalid")) is ServiceRequestError

    def test_no_connection_in_time(self, flavour: str, make: str) -> None:
        # A queue of one that is full: the kernel answers no further SYN.
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            address = listener.getsockname()
            waiting = [socket.socket() for _ in range(3)]
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(address)
            try:
                error = raised(
                    flavour,
                    make,
                    _request(f"http://127.0.0.1:{address[1]}"),
                    connection_timeout=0.2,
                    read_timeout=0.2,
                )
            finally:
                for each in waiting:
                    each.close()
        assert error is ServiceRequestTimeoutError or (make == "stock" and not STOCK_IS_PRECISE)

    def test_a_certificate_of_an_unknown_authority(
        self, flavour: str, make: str, server_context: ssl.SSLContext
    ) -> None:
        with RawServer(send(b""), server_context) as server:
            assert raised(flavour, make, _request(server.url)) is ServiceRequestError

    def test_a_certificate_of_another_host(
        self, flavour: str, make: str, server_context: ssl.SSLContext, bundle: str
    ) -> None:
        with RawServer(send(b""), server_context) as server:
            url = server.url.replace("localhost", "127.0.0.1")
            error = raised(flavour, make, _request(url), connection_verify=bundle)
        assert error is ServiceRequestError

    def test_no_tls_behind_https(self, flavour: str, make: str) -> None:
        with RawServer(send_and_close(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
            url = server.url.replace("http:", "https:")
            assert raised(flavour, make, _request(url), read_timeout=1) is ServiceRequestError

    def test_a_proxy_that_is_none(self, flavour: str, make: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        proxies = {"http": f"http://127.0.0.1:{port}"}
        error = raised(flavour, make, _request("http://somewhere.invalid"), proxies=proxies)
        assert error is ServiceRequestError
