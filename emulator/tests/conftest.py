"""A running emulator with its own clock, and a client that writes exact bytes to the wire.

The signature is computed here a second time, in separate code, so that mistakes of the emulator's
show.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from email.utils import formatdate
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]
LATEST = "2025-06-30"


class Clock:
    """Real time plus an offset that a test may set."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


@pytest.fixture(scope="session")
def shared_clock() -> Clock:
    return Clock()


@pytest.fixture
def clock(shared_clock: Clock) -> Iterator[Clock]:
    yield shared_clock
    shared_clock.offset = 0.0


@pytest.fixture(scope="session")
def emulator(shared_clock: Clock) -> Iterator[IdentityEmulator]:
    with IdentityEmulator(clock=shared_clock) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def tls_emulator(shared_clock: Clock) -> Iterator[IdentityEmulator]:
    with IdentityEmulator(clock=shared_clock, tls=True) as emulator:
        yield emulator


def sign(
    key: str, method: str, target: str, body: bytes, host: str, date: str, date_header: str
) -> dict[str, str]:
    body_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
    text = "\n".join([method, target, ";".join([date, host, body_hash])])
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    return {
        date_header: date,
        "x-ms-content-sha256": body_hash,
        "Authorization": f"HMAC-SHA256 SignedHeaders={date_header};host;x-ms-content-sha256"
        f"&Signature={base64.b64encode(digest).decode()}",
    }


def connect(endpoint: str, ca_bundle: str | None = None) -> socket.socket:
    scheme, _, authority = endpoint.rstrip("/").partition("://")
    host, _, port = authority.rpartition(":")
    host = host.strip("[]")
    connection = socket.create_connection((host, int(port)), timeout=10)
    if scheme == "http":
        return connection
    return ssl.create_default_context(cafile=ca_bundle).wrap_socket(
        connection, server_hostname=host
    )


def exchange(
    endpoint: str, request: bytes, method: str = "POST", ca_bundle: str | None = None
) -> SimpleNamespace:
    """Writes the bytes and reads one response."""
    with (
        connect(endpoint, ca_bundle) as connection,
        closing(http.client.HTTPResponse(connection, method=method)) as response,
    ):
        connection.sendall(request)
        response.begin()
        body = response.read()
    try:
        decoded = json.loads(body)
    except ValueError:
        decoded = None
    error = decoded.get("error") if isinstance(decoded, dict) else None
    return SimpleNamespace(
        version=response.version,
        status=response.status,
        headers=response.headers,
        body=body,
        json=decoded,
        error=error,
        code=error.get("code") if isinstance(error, dict) else None,
    )


@pytest.fixture(scope="session")
def send(emulator: IdentityEmulator, shared_clock: Clock) -> Send:
    """Signs and sends one request.

    `headers` replaces headers after signing, and None removes one; `sent_body` replaces the signed
    body; `extra` is raw header lines; `bearer` replaces the signature.
    """

    def _send(
        method: str,
        target: str,
        body: object = b"",
        *,
        version: str | None = LATEST,
        headers: dict[str, str | None] | None = None,
        extra: bytes = b"",
        key: str | None = None,
        date: str | None = None,
        date_header: str = "x-ms-date",
        host: str | None = None,
        sent_body: bytes | None = None,
        to: IdentityEmulator = emulator,
        request_target: str | None = None,
        protocol: str = "HTTP/1.1",
        bearer: str | None = None,
    ) -> SimpleNamespace:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        host = host or to.endpoint.partition("://")[2].rstrip("/")
        if version is not None:
            target += f"?api-version={version}"
        date = date or formatdate(shared_clock(), usegmt=True)
        sent: dict[str, str | None] = {
            "Host": host,
            "Content-Length": str(len(content if sent_body is None else sent_body)),
            **(
                {"Authorization": f"Bearer {bearer}"}
                if bearer is not None
                else sign(key or to.access_key, method, target, content, host, date, date_header)
            ),
            **(headers or {}),
        }
        lines = [f"{method} {request_target or target} {protocol}"]
        lines += [f"{name}: {value}" for name, value in sent.items() if value is not None]
        head = "\r\n".join(lines).encode() + b"\r\n" + extra + b"\r\n"
        ca_bundle = to.ca_bundle if to.endpoint.startswith("https") else None
        content = content if sent_body is None else sent_body
        return exchange(to.endpoint, head + content, method, ca_bundle)

    return _send


class Remote(NamedTuple):
    """The part of an `IdentityEmulator` that a request needs."""

    endpoint: str
    access_key: str


def remote(process: "subprocess.Popen[str]") -> Remote:
    """The parts of the first line that the emulator prints."""
    assert process.stdout is not None
    give_up = threading.Timer(20, process.kill)
    give_up.start()
    endpoint, _, key = process.stdout.readline().strip().partition(";accesskey=")
    give_up.cancel()
    assert endpoint.startswith("endpoint=")
    return Remote(endpoint.removeprefix("endpoint="), key)


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command line, with environment variables and (POSIX) resource limits."""
    processes = []

    def _start(
        *arguments: str, limits: dict[int, tuple[int, int]] | None = None, **variables: str
    ) -> "subprocess.Popen[str]":
        def limit() -> None:
            import resource

            for which, values in (limits or {}).items():
                resource.setrlimit(which, values)

        environment = {f"ACS_IDENTITY_EMULATOR_{name}": value for name, value in variables.items()}
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "acs_identity_emulator", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
            preexec_fn=limit if limits else None,
        )
        processes.append(process)
        return process

    yield _start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


replayed = pytest.StashKey[list[str]]()
"""The summary of the replay of the recordings, printed at the end of the run."""


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(replayed, []):
        terminalreporter.write_line(line)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> list[str]:
    """Lines for the end of the run."""
    return request.config.stash.setdefault(replayed, [])


@pytest.fixture(scope="session")
def send_bytes(emulator: IdentityEmulator) -> Send:
    return lambda request: exchange(emulator.endpoint, request)


@pytest.fixture
def user(send: Send) -> str:
    """The id of a new identity."""
    user: str = send("POST", "/identities").json["identity"]["id"]
    return user


@pytest.fixture
def deleted_user(send: Send, user: str) -> str:
    assert send("DELETE", f"/identities/{user}").status == 204
    return user
