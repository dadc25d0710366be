"""Odd clients: each is answered or disconnected, and the others are served."""

import contextlib
import http.client
import os
import re
import socket
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from acs_identity_emulator import IdentityEmulator
from acs_identity_emulator.contract.faults import FaultQueue, parse_fault
from acs_identity_emulator.contract.versions import Operation

from .conftest import LATEST, Start, connect, remote, sign

Send = Callable[..., SimpleNamespace]
UNSIGNED = b"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits")
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def read_to_end(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as stream:
        return stream.read()


def signed(emulator: IdentityEmulator, target: str, body: bytes, extra: str = "") -> bytes:
    """A signed POST as bytes."""
    host = emulator.endpoint.partition("://")[2].rstrip("/")
    target = f"{target}?api-version={LATEST}"
    date = formatdate(usegmt=True)
    headers = sign(emulator.access_key, "POST", target, body, host, date, "x-ms-date")
    lines = [f"{name}: {value}\r\n" for name, value in {"Host": host, **headers}.items()]
    head = f"POST {target} HTTP/1.1\r\n{''.join(lines)}{extra}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_connect_is_answered_and_closed(emulator: IdentityEmulator) -> None:
    with connect(emulator.endpoint) as connection:
        connection.sendall(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")
        reply = read_to_end(connection)
    assert STATUS.findall(reply) == [b"401"]


@pytest.mark.parametrize("body", [b"", b'{"createTokenWithScopes":["chat"]}'])
@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_an_offer_to_upgrade_is_ignored(
    emulator: IdentityEmulator, protocol: str, body: bytes
) -> None:
    """Java's HTTP client offers h2c with every request, also with those that have a body."""
    offer = f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {protocol}\r\nHTTP2-Settings: \r\n"
    request = signed(emulator, "/identities", body, offer)
    with connect(emulator.endpoint) as connection:
        for part in (request, request[:40], request[40:], request[:-1], request[-1:]):
            connection.sendall(part)
            time.sleep(0.02)  # so that the parts arrive one by one
        connection.shutdown(socket.SHUT_WR)
        reply = read_to_end(connection)
    assert STATUS.findall(reply) == [b"201"] * 3
    assert reply.count(b'"accessToken"') == (3 if body else 0)


def test_a_client_that_only_reads_on_gets_its_answers(emulator: IdentityEmulator) -> None:
    """Half-closed, as `nc -N` and some proxies do; the second answer takes a while."""
    emulator.inject("create", "delay:0.2")
    with connect(emulator.endpoint) as connection:
        connection.sendall(UNSIGNED + signed(emulator, "/identities", b"") + UNSIGNED)
        connection.shutdown(socket.SHUT_WR)
        reply = read_to_end(connection)
    emulator.reset()
    assert STATUS.findall(reply) == [b"401", b"201", b"401"]


def test_half_closed_in_the_middle_of_a_body(emulator: IdentityEmulator) -> None:
    with connect(emulator.endpoint) as connection:
        connection.sendall(b"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        connection.shutdown(socket.SHUT_WR)
        assert STATUS.findall(read_to_end(connection)) == [b"400"]


def test_pipelined_requests_are_answered_in_order(emulator: IdentityEmulator) -> None:
    issue = b'{"createTokenWithScopes":["chat"]}'
    other = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    requests = [signed(emulator, "/identities", issue), UNSIGNED, other] * 20
    with connect(emulator.endpoint) as another, connect(emulator.endpoint) as connection:
        connection.sendall(b"".join(requests))
        connection.shutdown(socket.SHUT_WR)
        assert STATUS.findall(read_to_end(connection)) == [b"201", b"401", b"401"] * 20
        assert another.fileno() > 0  # with another client, tokens are signed in a thread


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_client_that_sends_and_never_reads_is_bounded(
    emulator: IdentityEmulator, send: Send, scheme: str
) -> None:
    """The emulator stops reading, so the client's own sending blocks, after some MB at most."""
    authority = emulator.endpoint.partition("://")[2]
    sent = 0
    with connect(f"{scheme}://{authority}", emulator.ca_file) as connection:
        connection.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while sent < 200_000_000:
                sent += connection.send(UNSIGNED * 500)
        assert 0 < sent < 50_000_000
        assert send("POST", "/identities").status == 201


def test_what_was_not_read_is_sent_when_it_is_read(emulator: IdentityEmulator) -> None:
    count = 20_000
    with connect(emulator.endpoint) as connection:
        sender = threading.Thread(target=connection.sendall, args=(UNSIGNED * count,))
        sender.start()
        time.sleep(0.3)
        statuses, rest = 0, b""
        while statuses < count:
            data = rest + connection.recv(1_000_000)
            statuses += len(STATUS.findall(data))
            rest = data[-12:] if not STATUS.search(data[-12:]) else b""
        sender.join(10)
    assert statuses == count


def test_too_large_a_body_of_a_client_that_reads_late(emulator: IdentityEmulator) -> None:
    """The error is not lost to a reset while the client is still sending."""
    size = 8 * 1024 * 1024
    head = f"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode()
    with connect(emulator.endpoint) as connection:
        connection.sendall(head + b"x" * size)
        assert STATUS.findall(read_to_end(connection)) == [b"413"]


@pytest.mark.parametrize("pause", [False, True])
def test_an_endless_head_is_refused(emulator: IdentityEmulator, pause: bool) -> None:
    with connect(emulator.endpoint) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nA: ")
        for _ in range(100):
            with contextlib.suppress(ConnectionError):
                connection.sendall(b"x" * 10_000)
            if pause:
                time.sleep(0.001)
        assert STATUS.findall(read_to_end(connection)) == [b"400"]


def test_continue_waits_for_the_answers_before_it(emulator: IdentityEmulator) -> None:
    emulator.inject("create", "delay:0.2")
    with connect(emulator.endpoint) as connection:
        connection.sendall(
            b"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
            b"POST /identities HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            b"Content-Length: 2\r\n\r\n"
        )
        received = b""
        while b"100 Continue" not in received:
            received += connection.recv(10_000)
        connection.sendall(b"{}")
        connection.shutdown(socket.SHUT_WR)
        received += read_to_end(connection)
    emulator.reset()
    assert STATUS.findall(received) == [b"401", b"100", b"401"]


@POSIX_ONLY
def test_out_of_file_descriptors(start: Start) -> None:
    """Idle connections make room; there are few lines in the log, and no traceback."""
    import resource

    process = start(limits={resource.RLIMIT_NOFILE: (64, 64)})
    endpoint = remote(process).endpoint
    idle = []
    for _ in range(40):
        idle.append(connect(endpoint))
        idle[-1].sendall(UNSIGNED)
        assert idle[-1].recv(12).startswith(b"HTTP/1.1 401")
    idle += [connect(endpoint) for _ in range(60)]
    with connect(endpoint) as connection:
        connection.sendall(UNSIGNED)
        assert connection.recv(12) == b"HTTP/1.1 401"
    for connection in idle:
        connection.close()
    process.terminate()
    log = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert "Traceback" not in log
    assert 1 <= log.count("cannot accept connections") <= 60


@POSIX_ONLY
@pytest.mark.heavy
@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /identities HTTP/1.1\r\nHost: x\r\n", b"\x16\x03\x01\x02\x00"],
    ids=["nothing", "half a head", "half a TLS hello"],
)
def test_out_of_file_descriptors_by_silent_clients(start: Start, sent: bytes) -> None:
    """None of them owes a response, so they make room for a client with a request."""
    import resource

    process = start(limits={resource.RLIMIT_NOFILE: (64, 64)})
    endpoint = remote(process).endpoint
    silent = [connect(endpoint) for _ in range(150)]
    for connection in silent:
        with contextlib.suppress(ConnectionError):  # closed already
            connection.sendall(sent)
    with connect(endpoint) as connection:
        connection.settimeout(30)
        connection.sendall(UNSIGNED)
        assert connection.recv(12) == b"HTTP/1.1 401"
    for connection in silent:
        connection.close()
    process.terminate()
    log = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert "Traceback" not in log
    assert 1 <= log.count("cannot accept connections") <= 60


@POSIX_ONLY
def test_the_soft_limit_is_raised(start: Start) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 400:
        pytest.skip("the hard limit of this system is too low to tell")
    process = start("--log-level", "warning", limits={resource.RLIMIT_NOFILE: (64, hard)})
    endpoint = remote(process).endpoint
    clients = [connect(endpoint) for _ in range(200)]
    for client in clients:
        client.sendall(UNSIGNED)
    assert all(client.recv(12) == b"HTTP/1.1 401" for client in clients)
    for client in clients:
        client.close()
    process.terminate()
    assert process.communicate(timeout=60)[1] == ""


def test_stop_does_not_wait_for_slow_clients() -> None:
    with IdentityEmulator() as slow:
        slow.inject("any", "delay:60", times=9)
        connections = [connect(slow.endpoint) for _ in range(3)]
        for connection in connections:
            connection.sendall(UNSIGNED)
        unread = connect(slow.endpoint)
        unread.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                unread.send(UNSIGNED * 500)
        started = time.monotonic()
    assert time.monotonic() - started < 6  # two are promised, on a quiet machine
    for connection in (*connections, unread):
        connection.close()


def test_many_faults_that_wait_slow_nothing_down() -> None:
    """A request cost 13 ms with 5000 faults waiting for another operation."""
    with IdentityEmulator() as emulator:
        authority = emulator.endpoint.partition("://")[2].rstrip("/")
        for _ in range(5000):
            emulator.inject("revoke", "status:429")
        client = http.client.HTTPConnection(authority, timeout=10)
        started = time.perf_counter()
        for _ in range(300):
            client.request("POST", "/identities")
            client.getresponse().read()
        assert time.perf_counter() - started < 4
        client.close()


def test_faults_are_used_in_the_order_of_their_injection() -> None:
    queue = FaultQueue()
    queue.inject("any", "truncated", 1)
    queue.inject("issue", "status:500", 2)
    queue.inject("any", "reset", 1)
    queue.inject("issue", "html", 1)
    assert [armed.fault for armed in queue.waiting()] == [
        "truncated", "status:500", "reset", "html",
    ]  # fmt: skip
    # "truncated" needs a body, and the operation has none.
    assert queue.take(Operation.DELETE) == parse_fault("reset")
    assert queue.take(Operation.DELETE) is None
    kinds = []
    while (fault := queue.take(Operation.ISSUE)) is not None:
        kinds.append(fault.kind.value)
    assert kinds == ["truncated", "status", "status", "html"]
    assert not queue
