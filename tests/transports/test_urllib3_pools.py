"""The connections of the sync transport: which are kept, and what they do for an attempt."""

import os
import queue
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from urllib3.connection import HTTPConnection

from azure.communication.identity._transports import _limits
from azure.communication.identity._transports._settings import Timeouts
from azure.communication.identity._transports._urllib3_pools import (
    CURRENT,
    IdleConnections,
    SyncAttempt,
    new_pool,
)


class Item:
    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Spent(Item):
    def is_spent(self, now: float) -> bool:
        return True


class TestIdleConnections:
    def test_the_last_one_is_used_first(self) -> None:
        idle, items = IdleConnections(2), [Item(), Item()]
        idle.put(None)  # a placeholder of urllib3
        for item in items:
            idle.put(item)
        assert idle.qsize() == 2
        with pytest.raises(queue.Full):
            idle.put(Item())
        assert [idle.get(), idle.get()] == items[::-1]
        with pytest.raises(queue.Empty):
            idle.get()

    def test_a_spent_one_is_closed(self) -> None:
        idle, item = IdleConnections(2), Spent()
        idle.put(item)
        assert item.is_closed
        assert idle.qsize() == 0

    @pytest.mark.parametrize(("seconds", "is_kept"), [(60, True), (-1, False)])
    def test_one_that_was_idle_for_long_is_closed(
        self, monkeypatch: pytest.MonkeyPatch, seconds: float, is_kept: bool
    ) -> None:
        monkeypatch.setattr(_limits, "IDLE_SECONDS", seconds)
        idle, item = IdleConnections(2), Item()
        idle.put(item)
        if is_kept:
            assert idle.get() is item
        else:
            with pytest.raises(queue.Empty):
                idle.get()
        assert item.is_closed is not is_kept

    def test_those_of_the_parent_are_not_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        idle, of_parent, of_child = IdleConnections(2), Item(), Item()
        idle.put(of_parent)
        monkeypatch.setattr(os, "getpid", lambda: 1)
        with pytest.raises(queue.Empty):
            idle.get()
        idle.put(of_child)
        assert of_parent.is_closed
        assert of_child.is_closed


class Socket:
    """Keeps what is sent, in which parts, and the timeouts that are set."""

    def __init__(self) -> None:
        self.timeout: float | None = 60
        self.sent: list[bytes] = []

    def gettimeout(self) -> float | None:
        return self.timeout

    def settimeout(self, timeout: float | None) -> None:
        self.timeout = timeout

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)


@pytest.fixture
def connection() -> Any:
    made = new_pool("http://host", urllib3.PoolManager()).ConnectionCls("host", 80, timeout=60)
    made.sock = Socket()
    return made


@pytest.fixture
def attempt() -> Iterator[SyncAttempt]:
    made = SyncAttempt(set(), Timeouts(None, None), time.monotonic() + 30, False)
    CURRENT.attempt = made
    yield made
    CURRENT.attempt = None


@pytest.mark.parametrize(
    ("body", "packets"),
    [(None, 1), (b"{}", 1), (b"1" * 2**16, 1), (b"1" * (2**16 + 1), 2), (iter([b"{}"]), 3)],
    ids=["none", "small", "64 KiB", "more", "chunks"],
)
def test_a_small_body_is_sent_with_the_headers(connection: Any, body: Any, packets: int) -> None:
    connection.request("POST", "/a", body)
    assert len(connection.sock.sent) == packets
    assert connection.sock.sent[0].startswith(b"POST /a HTTP/1.1\r\n")
    if isinstance(body, bytes):
        assert b"".join(connection.sock.sent).endswith(b"\r\n\r\n" + body)


class TestAttempts:
    def test_the_deadline_limits_the_socket(self, connection: Any, attempt: SyncAttempt) -> None:
        connection.request("POST", "/a", b"{}")
        assert connection.sock.timeout == pytest.approx(30, abs=1)
        assert attempt.is_sent
        assert attempt.socket is connection.sock

    def test_a_nearer_timeout_is_left_alone(self, connection: Any, attempt: SyncAttempt) -> None:
        connection.timeout = 5
        connection.request("POST", "/a", b"{}")
        assert connection.sock.timeout == 5

    def test_a_closed_client_sends_nothing(self, connection: Any, attempt: SyncAttempt) -> None:
        attempt.is_aborted = True
        with pytest.raises(OSError, match="The client is closed"):
            connection.request("POST", "/a", b"{}")
        assert not connection.sock.sent
        assert not attempt.is_sent

    def test_without_one_a_connection_works_as_well(self, connection: Any) -> None:
        connection.request("POST", "/a", b"{}")
        assert connection.sock.timeout == 60
        assert connection.attempt is None

    def test_an_end_from_another_thread_wakes_the_reader(self, attempt: SyncAttempt) -> None:
        attempt.abort()  # before there is a connection
        own, peer = socket.socketpair()
        with own, peer:
            attempt.socket = own
            attempt.abort()
            assert peer.recv(1) == b""


class TestConnecting:
    """With a deadline, in another thread, since a name lookup cannot be interrupted."""

    @pytest.mark.parametrize("attempt", [None, SyncAttempt(set(), Timeouts(5, 5), None, False)])
    def test_without_the_deadline_of_a_call_the_thread_connects_itself(
        self,
        connection: Any,
        monkeypatch: pytest.MonkeyPatch,
        attempt: SyncAttempt | None,
        threads: list[threading.Thread],
    ) -> None:
        monkeypatch.setattr(CURRENT, "attempt", attempt)
        connection.connect()
        assert threads == [threading.current_thread()]

    @pytest.fixture
    def connection(self) -> Any:
        return new_pool("http://host", urllib3.PoolManager()).ConnectionCls("host", 80)

    @pytest.fixture
    def threads(self, monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
        """The threads that connect, which they only pretend to."""
        found: list[threading.Thread] = []
        monkeypatch.setattr(
            HTTPConnection, "connect", lambda self: found.append(threading.current_thread())
        )
        return found

    def test_an_error_is_raised_here(
        self, connection: Any, attempt: SyncAttempt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(HTTPConnection, "connect", raising)
        attempt.is_sent = True
        with pytest.raises(ConnectionRefusedError):
            connection.connect()
        assert not attempt.is_sent

    def test_a_connection_is_new(
        self, connection: Any, attempt: SyncAttempt, threads: list[threading.Thread]
    ) -> None:
        connection.has_excess = True
        connection.connect()
        assert threads != [threading.current_thread()]
        assert not connection.has_excess
        assert connection.opened_at == pytest.approx(time.monotonic(), abs=1)

    def test_a_late_one_is_closed_once_it_is_there(
        self, connection: Any, attempt: SyncAttempt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        go_on, closed = threading.Event(), threading.Event()
        monkeypatch.setattr(HTTPConnection, "connect", lambda self: go_on.wait(5))
        monkeypatch.setattr(connection, "close", closed.set)
        attempt.deadline = time.monotonic() + 0.02
        with pytest.raises(TimeoutError):
            connection.connect()
        assert not closed.is_set()
        go_on.set()
        assert closed.wait(5)

    def test_one_in_time_stays_open(
        self,
        connection: Any,
        attempt: SyncAttempt,
        monkeypatch: pytest.MonkeyPatch,
        threads: list[threading.Thread],
    ) -> None:
        monkeypatch.setattr(connection, "close", lambda: pytest.fail("closed"))
        connection.connect()
        (thread,) = threads
        thread.join()


def raising(connection: Any) -> None:
    raise ConnectionRefusedError


class TestSpent:
    def test_by_its_age_or_by_data(self, connection: Any) -> None:
        now = connection.opened_at = time.monotonic()
        assert not connection.is_spent(now)
        assert not connection.is_spent(now + _limits.CONNECTION_SECONDS - 1)
        assert connection.is_spent(now + _limits.CONNECTION_SECONDS + 1)
        connection.has_excess = True
        assert connection.is_spent(now)
        connection.sock = None  # urllib3 connects it anew
        assert not connection.is_spent(now)
