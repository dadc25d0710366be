"""The same failure raises the same exception on both clients, without secrets in it."""

import gzip
import pickle
import socket
import ssl
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.rest import HttpRequest
from transports.exchange import error_of
from transports.kept import MakeKept
from transports.raw_server import (
    PATIENCE,
    Behaviour,
    RawServer,
    answer,
    drip,
    send,
    send_and_close,
    send_and_hang,
    send_and_reset,
)

_SECRET = b"eyJhbGciOi-a-token"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_TEN = _HEAD + b"Content-Length: 10\r\n\r\n12345"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_GZIP = _HEAD + b"Content-Encoding: gzip\r\n"
_CUT = gzip.compress(b"x" * 100)[:-10]
_BOMB = gzip.compress(b"\0" * (16 * 1024 * 1024 + 1))


def _with_length(head: bytes, body: bytes) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


# For a response that is read at once, and for one that is streamed; None if it is not an error.
FAILURES: dict[str, tuple[Behaviour, type[AzureError], type[AzureError] | None]] = {
    "closed without an answer": (send_and_close(b""), ServiceResponseError, ServiceResponseError),
    "reset without an answer": (send_and_reset(b""), ServiceResponseError, ServiceResponseError),
    "no answer": (send_and_hang(b""), ServiceResponseTimeoutError, ServiceResponseTimeoutError),
    "no HTTP": (send_and_close(b"SSH-2.0 \r\n\r\n"), ServiceResponseError, ServiceResponseError),
    "a token for a status line": (
        send_and_close(_SECRET + b"\r\n\r\n"),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "a line without a colon": (
        send_and_close(_HEAD + b"X-Token " + _SECRET + b"\r\n\r\n{}"),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "closed in the headers": (send_and_close(_HEAD), ServiceResponseError, ServiceResponseError),
    "a status below 100": (
        send(b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\n{}"),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "closed in the body": (send_and_close(_TEN), ServiceResponseError, ServiceResponseError),
    "reset in the body": (send_and_reset(_TEN), ServiceResponseError, ServiceResponseError),
    "silence in the body": (
        send_and_hang(_TEN),
        ServiceResponseTimeoutError,
        ServiceResponseTimeoutError,
    ),
    "closed in a chunk": (
        send_and_close(_CHUNKED + b"a\r\n12345"),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "closed between chunks": (
        send_and_close(_CHUNKED + b"2\r\n{}\r\n"),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "no gzip": (
        send(_with_length(_GZIP, b"no gzip at")),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "gzip that is cut short": (
        send(_with_length(_GZIP, _CUT)),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "a gzip bomb": (send(_with_length(_GZIP, _BOMB)), ServiceResponseError, None),
    "a length of a terabyte": (
        send_and_hang(_HEAD + b"Content-Length: 1000000000000\r\n\r\n{"),
        ServiceResponseError,
        ServiceResponseTimeoutError,
    ),
    "a length of 5000 digits": (
        send_and_hang(_HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{"),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "a negative length": (
        send_and_hang(_HEAD + b"Content-Length: -5\r\n\r\n{"),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "two lengths": (
        send_and_hang(_HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{"),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "a version of its own": (
        send_and_hang(b"HTTP/7.3 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "a status of its own": (
        send_and_hang(b"HTTP/1.1 999999 OK\r\nContent-Length: 2\r\n\r\n{}"),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "a header line without an end": (
        drip(_HEAD + b"X-Long: ", b"x" * 65536, pause=0),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "header lines without an end": (
        drip(_HEAD, b"X-Many: 1\r\n" * 1000, pause=0),
        ServiceResponseError,
        ServiceResponseError,
    ),
    "folded lines without an end": (
        drip(_HEAD + b"X-Folded: 1\r\n", (b" " + b"a" * 60 + b"\r\n") * 1000, pause=0),
        ServiceResponseError,
        ServiceResponseError,
    ),
}


def _request(url: str) -> HttpRequest:
    return HttpRequest("POST", f"{url}/identities", content=b"{}")


def _streamed(flavour: str) -> Callable[[Any], Any]:
    if flavour == "sync":
        return lambda response: b"".join(response.iter_bytes())

    async def read(response: Any) -> bytes:
        return b"".join([block async for block in response.iter_bytes()])

    return read


def assert_discreet(error: BaseException) -> None:
    """Nothing of the response or of the libraries below, wherever tools look."""
    shown = "".join(traceback.format_exception(error))
    inner = error.inner_exception if isinstance(error, AzureError) else None
    for text in (shown, repr(vars(error)), str(inner), repr(inner)):
        for unwanted in ("0x", "SSLContext", "urllib3", "aiohttp.", _SECRET.decode(), "hunter2"):
            assert unwanted not in text.replace("/aiohttp", "").replace("/urllib3", "") or (
                unwanted in ("0x", "urllib3", "aiohttp.") and text is shown
            )
    assert error.__context__ is None
    if isinstance(error, AzureError):
        assert error.exc_traceback is None
        for below in (error.__cause__, error.exc_value, error.inner_exception):
            assert below is None or type(below).__module__ in ("builtins", "socket", "ssl")
    restored = pickle.loads(pickle.dumps(error))
    assert (type(restored), str(restored)) == (type(error), str(error))


@pytest.mark.parametrize("stream", [False, True], ids=["at once", "streamed"])
@pytest.mark.parametrize("name", FAILURES)
def test_a_misbehaving_server(flavour: str, stream: bool, name: str) -> None:
    behave, at_once, streamed = FAILURES[name]
    expected = streamed if stream else at_once
    began = time.monotonic()
    with RawServer(behave) as server:
        error = error_of(
            flavour,
            "ours",
            _request(server.url),
            use=_streamed(flavour) if stream else None,
            stream=stream,
            connection_timeout=0.5,
            read_timeout=0.5,
        )
    assert (None if error is None else type(error)) is expected
    assert not isinstance(error, HttpResponseError)
    assert time.monotonic() - began < 5
    if error is not None:
        assert_discreet(error)


_BAD_CHUNKS = {
    "no number": b"x\r\n{}\r\n0\r\n\r\n",
    "negative": b"-5\r\n{}\r\n0\r\n\r\n",
    "huge": b"f" * 5000 + b"\r\n{}",
}


@pytest.mark.parametrize("name", _BAD_CHUNKS)
@pytest.mark.parametrize("parts", [1, 2], ids=["with the headers", "later"])
def test_the_length_of_a_chunk(flavour: str, name: str, parts: int) -> None:
    # aiohttp cannot tell bad headers from a bad chunk that comes with them.
    data = (_CHUNKED, _BAD_CHUNKS[name])
    with RawServer(send_and_close(*data if parts == 2 else (b"".join(data),))) as server:
        error = error_of(
            flavour, "ours", _request(server.url), connection_timeout=0.5, read_timeout=0.5
        )
    assert isinstance(error, ServiceResponseError)
    assert_discreet(error)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
def test_a_body_that_is_too_long(flavour: str, coding: str) -> None:
    def behave(connection: socket.socket) -> None:
        connection.sendall(_HEAD + f"Content-Encoding: {coding}\r\n\r\n".encode())
        for _ in range(20):
            connection.sendall(_BOMB if coding == "gzip" else b"\0" * 2**20)
        connection.shutdown(socket.SHUT_RDWR)

    with RawServer(behave) as server:
        error = error_of(flavour, "ours", _request(server.url))
    assert type(error) is ServiceResponseError or coding == "deflate"
    assert isinstance(error, ServiceResponseError)


class TestNoConnection:
    """Nothing was sent."""

    @pytest.fixture
    def dead_port(self) -> int:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port: int = listener.getsockname()[1]
        return port

    def assert_not_sent(
        self,
        error: BaseException | None,
        text: str,
        kind: type[AzureError] = ServiceRequestError,
    ) -> None:
        assert error is not None
        assert type(error) is kind
        assert text in str(error)
        assert_discreet(error)

    def test_refused(self, flavour: str, dead_port: int) -> None:
        error = error_of(flavour, "ours", _request(f"http://127.0.0.1:{dead_port}"))
        self.assert_not_sent(error, f"Could not connect to http://127.0.0.1:{dead_port}:")

    def test_an_unknown_name(self, flavour: str) -> None:
        self.assert_not_sent(error_of(flavour, "ours", _request("http://a.invalid")), "a.invalid")

    @pytest.mark.parametrize("deadline", [False, True])
    def test_no_connection_in_time(self, flavour: str, deadline: bool) -> None:
        # A queue of one that is full: the kernel answers no further SYN.
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            address = listener.getsockname()
            waiting = [socket.socket() for _ in range(3)]
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(address)
            options: dict[str, Any] = (
                {"deadline": time.monotonic() + 0.2}
                if deadline
                else {"connection_timeout": 0.2, "read_timeout": 0.2}
            )
            try:
                error = error_of(
                    flavour, "ours", _request(f"http://127.0.0.1:{address[1]}"), **options
                )
            finally:
                for each in waiting:
                    each.close()
        self.assert_not_sent(error, "in time", ServiceRequestTimeoutError)

    def test_a_certificate_of_an_unknown_authority(
        self, flavour: str, server_context: ssl.SSLContext
    ) -> None:
        with RawServer(send(b""), server_context) as server:
            error = error_of(flavour, "ours", _request(server.url))
        self.assert_not_sent(error, "unable to get local issuer certificate")

    def test_a_certificate_of_another_host(
        self, flavour: str, server_context: ssl.SSLContext, bundle: str
    ) -> None:
        with RawServer(send(b""), server_context) as server:
            url = server.url.replace("localhost", "127.0.0.1")
            error = error_of(flavour, "ours", _request(url), connection_verify=bundle)
        self.assert_not_sent(error, "certificate is not valid for '127.0.0.1'")

    def test_no_tls_behind_https(self, flavour: str) -> None:
        with RawServer(send_and_close(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
            url = server.url.replace("http:", "https:")
            error = error_of(flavour, "ours", _request(url), read_timeout=1)
        self.assert_not_sent(error, "https://")

    def test_a_reset_in_the_handshake(self, flavour: str) -> None:
        with RawServer(send_and_reset(b"")) as server:
            url = server.url.replace("http:", "https:")
            error = error_of(flavour, "ours", _request(url), read_timeout=1)
        self.assert_not_sent(error, "https://")

    def test_silence_in_the_handshake(self, flavour: str) -> None:
        with RawServer(send_and_hang(b"")) as server:
            url = server.url.replace("http:", "https:")
            error = error_of(flavour, "ours", _request(url), connection_timeout=0.3)
        self.assert_not_sent(error, "in time", ServiceRequestTimeoutError)

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_a_proxy_that_is_down(self, flavour: str, scheme: str, dead_port: int) -> None:
        proxies = {scheme: f"http://user:hunter2@127.0.0.1:{dead_port}"}
        url = f"{scheme}://somewhere.invalid"
        self.assert_not_sent(error_of(flavour, "ours", _request(url), proxies=proxies), url)

    @pytest.mark.parametrize("status", ["407 hunter2 Required", "502 Bad hunter2"])
    def test_a_proxy_that_opens_no_tunnel(self, flavour: str, status: str) -> None:
        with RawServer(answer(_SECRET, status=status)) as proxy:
            proxies = {"https": proxy.url.replace("//", "//user:hunter2@")}
            url = "https://somewhere.invalid"
            error = error_of(flavour, "ours", _request(url), proxies=proxies)
        self.assert_not_sent(error, status.partition(" ")[0])

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:99999/", "http://[::1/", "http://a..b/", "http://xn--/"]
    )
    def test_an_invalid_url(self, flavour: str, url: str) -> None:
        error = error_of(flavour, "ours", HttpRequest("GET", url))
        assert type(error) is ServiceRequestError
        assert_discreet(error)


class TestDeadline:
    """An attempt ends at most a second after it, whatever the server does."""

    @pytest.mark.parametrize(
        "behave",
        [
            send_and_hang(b""),
            send_and_hang(_TEN),
            drip(b"HTTP/1.1 200 ", b"O"),
            drip(_HEAD + b"X: ", b"a"),
            drip(_HEAD + b"Content-Length: 1000\r\n\r\n", b"a"),
            drip(_CHUNKED, b"1\r\na\r\n"),
            drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
            drip(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
            drip(_GZIP + b"Content-Length: 1000\r\n\r\n" + _CUT[:10], b"\0"),
        ],
        ids=["silence", "half", "status", "header", "body", "chunks", "100", "103", "gzip"],
    )
    @pytest.mark.parametrize(
        "secure", [False, pytest.param(True, marks=pytest.mark.heavy)], ids=["http", "https"]
    )
    def test_a_slow_server(
        self,
        make_kept: MakeKept,
        behave: Behaviour,
        secure: bool,
        server_context: ssl.SSLContext,
        bundle: str,
    ) -> None:
        behaviours = [answer(b"{}"), behave]
        kept = make_kept(connection_verify=bundle)
        with RawServer(
            lambda connection: behaviours.pop(0)(connection), server_context if secure else None
        ) as server:
            kept.send(server)  # so that no handshake is in the time that is measured
            began = time.monotonic()
            # The server would send for longer, and end differently.
            with pytest.raises(ServiceResponseTimeoutError) as raised:
                kept.send(server, deadline=began + 0.25)
            assert 0.2 < time.monotonic() - began < PATIENCE - 1
        assert_discreet(raised.value)

    def test_a_proxy_that_drips(self, flavour: str) -> None:
        with RawServer(drip(b"HTTP/1.1 200 OK\r\nX: ", b"a")) as proxy:
            error = error_of(
                flavour,
                "ours",
                _request("https://somewhere.invalid"),
                proxies={"https": proxy.url},
                deadline=time.monotonic() + 0.5,
            )
        assert type(error) is ServiceRequestTimeoutError

    def test_one_that_has_passed(self, flavour: str) -> None:
        with RawServer(answer()) as server:
            error = error_of(flavour, "ours", _request(server.url), deadline=time.monotonic() - 1)
            assert type(error) is ServiceRequestTimeoutError
            assert server.requests == []

    def test_one_that_is_kept(
        self, flavour: str, server_context: ssl.SSLContext, bundle: str
    ) -> None:
        with RawServer(answer(b"{}"), server_context) as server:
            error = error_of(
                flavour,
                "ours",
                _request(server.url),
                connection_verify=bundle,
                deadline=time.monotonic() + 30,
            )
        assert error is None


@pytest.mark.parametrize("kind", [100, 103])
def test_provisional_responses_without_an_end(flavour: str, kind: int) -> None:
    # As fast as they come: without a deadline, the read timeout ends them.
    behave = drip(b"", f"HTTP/1.1 {kind} X\r\n\r\n".encode() * 100, pause=0.01)
    with RawServer(behave) as server:
        error = error_of(
            flavour, "ours", _request(server.url), connection_timeout=0.5, read_timeout=0.5
        )
    assert isinstance(error, ServiceResponseError)
