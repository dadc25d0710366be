"""What the sync transport reads from a socket: how much, until when, and in which form."""

import io
import time
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from transports.kept import Kept
from transports.raw_server import RawServer, send

from azure.communication.identity._transports import _limits
from azure.communication.identity._transports._attempt import Attempt
from azure.communication.identity._transports._failures import InvalidResponseError
from azure.communication.identity._transports._guarded_reading import GuardedFile, GuardedSocket
from azure.communication.identity._transports._settings import Timeouts


class FakeSocket:
    """Receives what a test gives it, and keeps the timeouts that are set."""

    def __init__(self, *blocks: bytes, timeout: float | None = 60) -> None:
        self.blocks = list(blocks)
        self.timeout = timeout
        self.timeouts: list[float | None] = []
        self.is_file_closed = False

    def gettimeout(self) -> float | None:
        return self.timeout

    def settimeout(self, timeout: float | None) -> None:
        self.timeouts.append(timeout)

    def makefile(self, mode: str, buffering: int) -> Any:
        def close() -> None:
            self.is_file_closed = True

        return SimpleNamespace(close=close)

    def recv_into(self, buffer: Any) -> int:
        block = self.blocks.pop(0) if self.blocks else b""
        buffer[: len(block)] = block
        return len(block)


def attempt(seconds: float | None = None, is_streamed: bool = False) -> Attempt:
    deadline = None if seconds is None else time.monotonic() + seconds
    return Attempt(set(), Timeouts(None, None), deadline, is_streamed)


def read(file: GuardedFile, size: int = 65536) -> int:
    return file.readinto(bytearray(size))


class TestTime:
    def test_without_a_limit_the_socket_keeps_its_own(self) -> None:
        for timeout in (60, None):
            sock = FakeSocket(b"1", b"2", timeout=timeout)
            file = GuardedFile(sock, attempt())
            assert read(file) == 1
            file.allow_body(is_chunked=False)
            assert read(file) == 1
            assert not sock.timeouts

    def test_a_nearer_deadline_is_set_once(self) -> None:
        for timeout in (60, None):
            sock = FakeSocket(b"1", b"2", timeout=timeout)
            file = GuardedFile(sock, attempt(30))
            assert read(file) == read(file) == 1
            assert sock.timeouts == [pytest.approx(30, abs=1)]

    def test_headers_that_drip_share_their_time_and_the_body_does_not(self) -> None:
        sock = FakeSocket(b"1", b"2", b"3", timeout=0.2)
        file = GuardedFile(sock, None)
        time.sleep(0.03)
        assert read(file) == 1
        (left,) = sock.timeouts
        assert left is not None
        assert left < 0.18
        file.allow_body(is_chunked=False)
        assert read(file) == 1
        assert sock.timeouts == [left, 0.2]

    def test_the_deadline_ends_headers_and_body(self) -> None:
        file = GuardedFile(FakeSocket(b"1"), attempt(-0.1))
        for _ in range(2):
            with pytest.raises(TimeoutError, match="has passed"):
                read(file)
            file.allow_body(is_chunked=False)


class TestSize:
    @pytest.fixture(autouse=True)
    def _limits_of_the_test(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_limits, "MAX_HEADER_BYTES", 100)
        monkeypatch.setattr(_limits, "MAX_BODY_BYTES", 10)

    def test_of_headers(self) -> None:
        most = 100 + io.DEFAULT_BUFFER_SIZE  # the buffer may hold some of the body
        file = GuardedFile(FakeSocket(b"1" * most, b"2"), attempt())
        assert read(file, most) == most
        with pytest.raises(InvalidResponseError, match="the headers are too long"):
            read(file)

    @pytest.mark.parametrize(("is_chunked", "most"), [(False, 10), (True, 80)])
    def test_of_a_body(self, is_chunked: bool, most: int) -> None:
        file = GuardedFile(FakeSocket(b"head", b"1" * most, b"2"), attempt())
        assert read(file) == 4
        file.allow_body(is_chunked=is_chunked)
        assert read(file) == most
        with pytest.raises(InvalidResponseError, match="the body is too long"):
            read(file)

    def test_of_a_streamed_body(self) -> None:
        file = GuardedFile(FakeSocket(b"1" * 999), attempt(is_streamed=True))
        file.allow_body(is_chunked=False)
        assert read(file) == 999


class TestEnd:
    def test_of_the_connection(self) -> None:
        file = GuardedFile(FakeSocket(b"1"), attempt())
        assert read(file) == 1
        assert not file.has_ended
        assert read(file) == 0
        assert file.has_ended

    def test_because_the_client_is_closed(self) -> None:
        closed = attempt()
        file = GuardedFile(FakeSocket(b"1"), closed)
        closed.is_aborted = True
        assert read(file) == 1
        with pytest.raises(OSError, match="The client is closed"):
            read(file)

    @pytest.mark.parametrize(("rest", "is_excess"), [(b"", False), (b"2", True)])
    def test_of_the_response(self, rest: bytes, is_excess: bool) -> None:
        excess: list[bool] = []
        sock = FakeSocket(b"1" + rest, b"not read: not a response")
        guard = GuardedSocket(sock, attempt(), lambda: excess.append(True))
        buffer = guard.makefile("rb")
        assert buffer.read(1) == b"1"
        buffer.close()
        buffer.close()
        assert excess == [True] * is_excess
        assert len(sock.blocks) == 1
        assert sock.is_file_closed


@pytest.fixture
def kept(loop: Any) -> Any:
    made = Kept("sync", loop)
    yield made
    made.transport.close()


def error_of(kept: Kept, head: str) -> str:
    server = RawServer(send(f"HTTP/1.1 {head}\r\n\r\n".encode()))
    with server, pytest.raises(ServiceResponseError) as raised:
        kept.send(server)
    return raised.value.message.rpartition("response: ")[2]


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (f"200 OK\r\nContent-Length: {10**18 - 1}", "the body is longer than 16777216 bytes."),
        (f"200 OK\r\nContent-Length: {10**18}", "the Content-Length is malformed."),
        ("200 OK\r\nContent-Length: 2\r\nContent-Length: 3", "the Content-Length is malformed."),
        ("101 Switching Protocols", "the protocol was switched unasked."),
    ],
)
def test_a_head_that_is_invalid(kept: Kept, head: str, text: str) -> None:
    assert error_of(kept, head) == text


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_provisional_responses_are_skipped(kept: Kept, status: int) -> None:
    provisional = f"HTTP/1.1 {status} Wait\r\n\r\n"
    final = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with RawServer(send(f"{provisional}{provisional}{final}".encode())) as server:
        response = kept.send(server)
    assert (response.status_code, response.content) == (200, b"{}")


def test_a_head_may_have_defects_that_do_not_matter(kept: Kept) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed\r\nContent-Length: 2\r\n\r\n{}"
    with RawServer(send(head.encode())) as server:
        assert kept.send(server).content == b"{}"
