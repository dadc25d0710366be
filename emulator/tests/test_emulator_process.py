"""The process: its options and environment, its log, and that it ends."""

import errno
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from acs_identity_emulator import IdentityEmulator
from acs_identity_emulator.operations.identities import Identities
from acs_identity_emulator.process.logs import QueuedHandler, TextFormatter

from .conftest import Remote, Start, connect, remote

Send = Callable[..., SimpleNamespace]

pytestmark = pytest.mark.heavy

COMMAND = [sys.executable, "-W", "error", "-m", "acs_identity_emulator"]
POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="Windows ends a process otherwise")
# Two seconds are promised; other programs may load the machine of the tests.
LIMIT = 6.0
UNSIGNED = b"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


def stopped(process: "subprocess.Popen[str]") -> str:
    """Ends the process and returns its log."""
    process.terminate()
    log = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    return log


@POSIX_ONLY
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_full_pipe_for_the_log_blocks_nothing(start: Start, log_format: str) -> None:
    """Standard error is not read: all requests are served, SIGTERM works, lines are counted."""
    process = start("--log-format", log_format)
    served = remote(process)
    count = 4000
    with connect(served.endpoint) as connection:
        connection.settimeout(60)
        received = b""
        for _ in range(count // 500):
            connection.sendall(UNSIGNED * 500)
            answered = 0
            while answered < 500:
                received = received[-20:] + connection.recv(1_000_000)
                answered += received.count(b'{"error":')
                received = received[received.rfind(b'{"error":') + 1 :]
    started = time.monotonic()
    process.terminate()
    assert process.wait(10) == 0
    assert time.monotonic() - started < LIMIT
    assert process.stderr is not None
    assert 100 < len(process.stderr.read().splitlines()) < count


@POSIX_ONLY
def test_dropped_lines_are_counted(start: Start) -> None:
    process = start()
    served = remote(process)
    with connect(served.endpoint) as connection:
        connection.sendall(UNSIGNED * 15_000)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1_000_000):
            pass
    process.send_signal(signal.SIGTERM)
    log = process.communicate(timeout=60)[1]
    lines = log.splitlines()
    missing = re.findall(r"WARNING (\d+) log lines are missing", log)
    assert sum(map(int, missing)) + len(lines) - len(missing) == 15_000


@POSIX_ONLY
def test_a_log_that_nobody_can_read_any_more(start: Start, send: Send) -> None:
    process = start()
    served = remote(process)
    assert process.stderr is not None
    process.stderr.close()
    for _ in range(3):
        assert send("POST", "/identities", to=served).status == 201
    process.terminate()
    assert process.wait(10) == 0


def test_lines_that_a_full_disk_loses_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    is_full, refused = True, threading.Event()

    def write(_: int, octets: bytes) -> int:
        if is_full:
            refused.set()
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(octets)
        return len(octets)

    monkeypatch.setattr(os, "write", write)
    handler = QueuedHandler(-1)
    handler.setFormatter(TextFormatter())
    for number in range(7):
        handler.emit(logging.makeLogRecord({"msg": f"line {number}"}))
        assert refused.wait(10)
        is_full = number < 3
    handler.close()
    log = b"".join(written).decode()
    missing = [int(count) for count in re.findall(r" (\d+) log lines are missing", log)]
    assert sum(missing) >= 1
    assert log.count(" line ") + sum(missing) == 7


def test_a_log_of_json(start: Start, send: Send) -> None:
    process = start("--log-format", "json")
    served = remote(process)
    send("POST", "/identities", to=served)
    send("POST", "/identities", to=served, key="QUJD")
    lines = [json.loads(line) for line in stopped(process).splitlines()]
    created, denied = lines
    assert created["level"] == "info"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", created["time"])
    assert (created["method"], created["operation"], created["status"]) == ("POST", "create", 201)
    assert created["api_version"] == "2025-06-30"
    assert isinstance(created["milliseconds"], int)
    assert (denied["status"], denied["code"]) == (401, "Denied")
    assert denied["reason"] == "signature"


@POSIX_ONLY
def test_it_stops_although_a_client_and_a_fault_hold_it(start: Start) -> None:
    process = start("--fault", "any=delay:60*99")
    served = remote(process)
    clients = [connect(served.endpoint) for _ in range(3)]
    clients[0].sendall(UNSIGNED)
    clients[1].sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
    started = time.monotonic()
    stopped(process)
    assert time.monotonic() - started < LIMIT
    for client in clients:
        client.close()


@POSIX_ONLY
def test_it_ends_with_its_terminal(start: Start, tmp_path: Path) -> None:
    process = start("--ca-file", str(tmp_path / "ca.pem"))
    remote(process)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


@POSIX_ONLY
def test_it_ends_with_its_parent() -> None:
    """However the parent ends, here by SIGKILL."""
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({[*COMMAND, '--exit-with-parent']!r}, stdout=subprocess.PIPE)\n"
        "print(child.stdout.readline().decode(), end='', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as parent:
        endpoint = remote(parent).endpoint
        connect(endpoint).close()
        parent.kill()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            connect(endpoint).close()
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail("the emulator is still running")


def test_options_come_from_the_environment(start: Start, send: Send, tmp_path: Path) -> None:
    process = start(
        "--access-key", "QUJD",
        ACCESS_KEY="WFla", SECONDARY_KEY="REVG", THROTTLE="true", TLS="0", LOG_LEVEL="warning",
        FAULT="create=status:500 create=html", TLS_NAME="a.test b.test",
        CA_FILE=str(tmp_path / "ca.pem"),
        ADVANCE="90000",
    )  # fmt: skip
    served = remote(process)
    assert served.access_key == "QUJD"  # an argument takes precedence
    assert served.endpoint.startswith("http:")
    statuses = [send("POST", "/identities", to=served, key="REVG").status for _ in range(3)]
    assert statuses == [500, 503, 201]
    with urllib.request.urlopen(f"{served.endpoint}.emulator/clock") as response:
        assert json.load(response)["advancedSeconds"] == 90000
    assert (tmp_path / "ca.pem").exists()
    assert stopped(process) == ""


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"PORT": "x"}, "argument --port: must be a whole number, not 'x'"),
        ({"THROTTLE": "maybe"}, "ACS_IDENTITY_EMULATOR_THROTTLE must be true or false"),
        ({"LOG_LEVEL": "x"}, "argument --log-level: invalid choice: 'x'"),
    ],
)
def test_mistakes_in_the_environment(start: Start, variables: dict[str, str], reason: str) -> None:
    process = start(**variables)
    output, log = process.communicate(timeout=60)
    assert (process.returncode, output, log.count("\n")) == (2, "", 1)
    assert reason in log


def test_health(emulator: IdentityEmulator) -> None:
    host, _, port = emulator.endpoint.partition("://")[2].rstrip("/").partition(":")
    command = [*COMMAND, "--check-health", "--host", host, "--port"]
    assert subprocess.run([*command, port], check=False).returncode == 0
    with socket.create_server((host, 0)) as silent:
        other = str(silent.getsockname()[1])
        silent.listen()
        assert subprocess.run([*command, other], check=False).returncode == 1
    assert subprocess.run([*command, other], check=False).returncode == 1


def test_dev_is_always_the_same_and_says_that_it_is_public(start: Start, send: Send) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    lines = []
    for _ in range(2):
        process = start("--dev", "--port", port)  # its own port may be in use on this machine
        assert process.stdout is not None
        line = process.stdout.readline()
        lines.append(line)
        endpoint, _, key = line.strip().partition(";accesskey=")
        reply = send("POST", "/identities", to=Remote(endpoint.removeprefix("endpoint="), key))
        assert reply.json["identity"]["id"].startswith("8:acs:00000000-0000-4000-8000-0000000000ac")
        assert "--dev: the keys are public" in stopped(process)
    assert lines[0] == lines[1]
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert lines[0].strip().replace(f":{port}/", ":10010/") in readme


def test_dev_has_a_port_of_its_own(start: Start) -> None:
    with socket.socket() as taken:
        with suppress(OSError):  # another program has the port already
            taken.bind(("127.0.0.1", 10010))
            taken.listen()
        process = start("--dev")
        log = process.communicate(timeout=60)[1]
    assert ": --port 10010: cannot listen on 127.0.0.1 (" in log


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux")
def test_standard_output_that_is_full() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            COMMAND, stdout=full, stderr=subprocess.PIPE, text=True, timeout=20, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith("acs-identity-emulator: cannot write to standard output")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The end to write to of a pipe that is full, and that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 65536)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"x")
    os.set_blocking(writer, True)
    yield writer
    os.close(reader)
    os.close(writer)


@POSIX_ONLY
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("log_too", [False, True])
def test_it_stops_although_nobody_reads_the_first_line(
    full_pipe: int, tmp_path: Path, number: signal.Signals, log_too: bool
) -> None:
    ca_file = tmp_path / "ca.pem"
    with subprocess.Popen(
        [*COMMAND, "--ca-file", str(ca_file)],
        stdout=full_pipe,
        stderr=full_pipe if log_too else subprocess.DEVNULL,
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not ca_file.exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            started = time.monotonic()
            process.send_signal(number)
            assert process.wait(20) == 0
            assert time.monotonic() - started < LIMIT
        finally:
            process.kill()
    assert list(tmp_path.iterdir()) == []


@POSIX_ONLY
@pytest.mark.parametrize("arguments", [["--nope"], ["--database", "."]])
def test_a_failure_to_start_that_nobody_reads(full_pipe: int, arguments: list[str]) -> None:
    done = subprocess.run([*COMMAND, *arguments], stderr=full_pipe, timeout=20, check=False)
    assert done.returncode == 2


@POSIX_ONLY
def test_it_stops_although_its_stop_is_blocked() -> None:
    """From the signal on, whatever the main thread does then."""
    code = (
        "import sys, time\n"
        "from acs_identity_emulator import IdentityEmulator, cli\n"
        "def start(emulator): print('starting', flush=True); time.sleep(60)\n"
        "IdentityEmulator.start = start\n"
        "cli.main([])\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"starting\n"
        started = time.monotonic()
        process.terminate()
        try:
            assert process.wait(20) == 3
        finally:
            process.kill()
        assert time.monotonic() - started < LIMIT


@POSIX_ONLY
def test_standard_output_that_is_closed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ca_file = tmp_path / "ca.pem"
    command = [*COMMAND, "--dev", "--port", str(port), "--ca-file", str(ca_file)]
    with subprocess.Popen(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60
        while process.poll() is None and not ca_file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        log = stopped(process)
    assert "Traceback" not in log


def test_a_failure_of_the_emulator_itself_tells_no_secret(
    emulator: IdentityEmulator,
    send: Send,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(*_: object) -> None:
        raise LookupError(f"a message that quotes {emulator.access_key}")

    monkeypatch.setattr(Identities, "_existing_or_new", fails)
    reply = send("POST", "/identities")
    assert (reply.status, reply.code) == (500, "InternalServerError")
    logged = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(logged) == 1
    assert logged[0].startswith("the emulator failed: LookupError at ")
    assert emulator.access_key not in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_forked_processes_make_different_guids() -> None:
    code = """
import os
from acs_identity_emulator.state.unique import guid

for _ in range(2):
    child = os.fork()
    if not child:
        os.write(1, f"{guid()}\\n".encode())
        os._exit(0)
    os.waitpid(child, 0)
os.write(1, guid().encode())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    guids = done.stdout.split()
    assert len(set(guids)) == len(guids) == 3
