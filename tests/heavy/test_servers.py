"""1,000 calls for as many users, in the workers of servers: each token belongs to its user."""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from kombu.exceptions import DecodeError
from token_owner import owner

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import CommunicationIdentityClient

APPLICATIONS = Path(__file__).with_name("applications")
PATIENCE = 120.0
CALLS, CALLERS = 1000, 16
COMMANDS = {
    "gunicorn": ("gunicorn", "--workers=2", "--threads=4", "--bind=127.0.0.1:0", "by_wsgi:app"),
    "gunicorn --preload": (
        "gunicorn",
        "--preload",
        "--workers=2",
        "--threads=4",
        "--bind=127.0.0.1:0",
        "by_wsgi:app",
    ),
    "uvicorn": ("uvicorn", "--workers=2", "--port=0", "--no-access-log", "by_asgi:app"),
}

Found = list[tuple[int, str]]
"""A process, and the token that it issued, for each user."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[IdentityEmulator]:
    with IdentityEmulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def users(emulator: IdentityEmulator) -> list[str]:
    with CommunicationIdentityClient.from_connection_string(emulator.connection_string) as client:
        return [client.create_user().raw_id for _ in range(CALLS)]


@contextmanager
def running(
    emulator: IdentityEmulator, folder: Path, *command: str
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A server, and the file of its output, in which there must be no error."""
    log = folder / "log"
    environment = {
        **os.environ,
        "CONNECTION_STRING": emulator.connection_string,
        "CELERY_FOLDER": str(folder),
        "PYTHONWARNINGS": "ignore::DeprecationWarning",  # Python warns of forks with threads
    }
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=APPLICATIONS,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield server, log
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()
                raise
    text = log.read_text("utf-8")
    assert not re.search("ERROR|Traceback", text), text


def matched(pattern: str, server: subprocess.Popen[bytes], log: Path) -> str:
    """What a server says about itself, once it does."""
    gives_up = time.monotonic() + PATIENCE
    while not (match := re.search(pattern, log.read_text("utf-8"))):
        assert server.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < gives_up, log.read_text("utf-8")
        time.sleep(0.05)
    return match[0]


def check(users: list[str], found: Found) -> None:
    """Each token belongs to its user, and both workers issued some."""
    assert [owner(token) for _, token in found] == users
    assert len({process for process, _ in found}) == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_web_servers(
    emulator: IdentityEmulator, users: list[str], tmp_path: Path, name: str
) -> None:
    with running(emulator, tmp_path, *COMMANDS[name]) as (server, log):
        url = matched(r"http://127.0.0.1:\d+", server, log)
        if name == "uvicorn":  # whose workers listen themselves
            matched(r"(?s)(startup complete.*){2}", server, log)

        def ask(user: str) -> tuple[int, str]:
            with urllib.request.urlopen(f"{url}/?{user}", timeout=PATIENCE) as response:
                found: dict[str, Any] = json.load(response)
            return found["process"], found["token"]

        with ThreadPoolExecutor(CALLERS) as pool:
            check(users, list(pool.map(ask, users)))


def answer(result: Any) -> Any:
    """What a task returned."""
    for _ in range(100):
        # Celery writes a file in place, and may find a part of it.
        with suppress(DecodeError):
            return result.get(timeout=PATIENCE, interval=0.02)
        time.sleep(0.02)
    raise AssertionError("a result cannot be decoded")


def test_celery(
    emulator: IdentityEmulator,
    users: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("messages", "control", "results"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("CONNECTION_STRING", emulator.connection_string)
    monkeypatch.setenv("CELERY_FOLDER", str(tmp_path))
    monkeypatch.syspath_prepend(APPLICATIONS)
    by_celery = importlib.import_module("by_celery")

    command = ("celery", "--app=by_celery", "worker", "--pool=prefork", "--concurrency=2")
    try:
        with running(emulator, tmp_path, *command, "--without-gossip", "--without-mingle"):
            parts = [users[start : start + 20] for start in range(0, CALLS, 20)]
            waiting = [by_celery.issue.delay(part) for part in parts]
            answers = [answer(each) for each in waiting]
    finally:
        by_celery.client.close()
    check(users, [(process, token) for answer in answers for process, token in answer])
