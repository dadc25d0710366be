"""Acknowledged work survives `kill -9`, whatever was under way."""

import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]

KILLS = 20
WRITERS = 3
# One of each before the kill, so that there is something to lose.
LEAST_CREATED = 5

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")


class Remote(NamedTuple):
    endpoint: str
    access_key: str


def start(database: Path) -> "tuple[subprocess.Popen[str], Remote]":
    process = subprocess.Popen(
        [sys.executable, "-m", "acs_identity_emulator", "--database", str(database)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    endpoint, _, key = process.stdout.readline().strip().partition(";accesskey=")
    return process, Remote(endpoint.removeprefix("endpoint="), key)


class Stream:
    """Clients that create identities, and revoke the tokens of some, until the service is gone."""

    def __init__(self, send: Send, remote: Remote) -> None:
        self.created: list[tuple[str, str]] = []
        self.revoked: list[str] = []
        self.enough = threading.Event()
        self._send = send
        self._remote = remote
        self._threads = [threading.Thread(target=self._run) for _ in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        try:
            while True:
                self._create_and_revoke()
        except (OSError, http.client.HTTPException):
            return  # killed: what was not acknowledged does not count

    def _create_and_revoke(self) -> None:
        body = {"createTokenWithScopes": ["chat"]}
        reply = self._send("POST", "/identities", body, to=self._remote)
        assert reply.status == 201
        identity, token = reply.json["identity"]["id"], reply.json["accessToken"]["token"]
        self.created.append((identity, token))
        path = f"/identities/{identity}/:revokeAccessTokens"
        if len(self.created) % 2 and self._send("POST", path, to=self._remote).status == 204:
            self.revoked.append(token)
        if len(self.created) >= LEAST_CREATED and self.revoked:
            self.enough.set()


# Twenty processes are killed.
@pytest.mark.heavy
def test_kill(send: Send, tmp_path: Path) -> None:
    database = tmp_path / "service.db"
    created: list[tuple[str, str]] = []
    revoked: set[str] = set()
    for _ in range(KILLS):
        process, remote = start(database)
        stream = Stream(send, remote)
        assert stream.enough.wait(10)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        stream.join()
        created += stream.created
        revoked.update(stream.revoked)
        check(database, created, revoked)
    assert len(created) >= KILLS * LEAST_CREATED
    assert len(revoked) >= KILLS


def check(database: Path, created: list[tuple[str, str]], revoked: set[str]) -> None:
    with IdentityEmulator(database=database) as emulator:
        kept = {identity.id for identity in emulator.identities()}
        assert {identity for identity, _ in created} <= kept
        assert not any(emulator.is_token_valid(token) for token in revoked)
