"""A client that was used before a fork, in the children and in the parent."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from transports.raw_server import RawServer, answer

from acs_identity_emulator import IdentityEmulator

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")

KEY = "c2VjcmV0"


def run(scenario: str, flavour: str, connection_string: str, ca_file: str | None = None) -> Any:
    """What the program prints."""
    done = subprocess.run(
        [
            sys.executable,
            # Python warns of forks while there are threads, which is what is tested here.
            "-W",
            "ignore::DeprecationWarning",
            str(Path(__file__).with_name("program.py")),
            scenario,
            flavour,
            connection_string,
            *([] if ca_file is None else [ca_file]),
        ],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=["http", pytest.param("https", marks=pytest.mark.heavy)])
def target(request: pytest.FixtureRequest) -> Iterator[tuple[str, str | None]]:
    """The connection string of an emulator, and its certificate authority."""
    is_secure = request.param == "https"
    with IdentityEmulator(tls=is_secure) as emulator:
        yield emulator.connection_string, str(emulator.ca_file) if is_secure else None


def test_children_at_once(flavour: str, target: tuple[str, str | None]) -> None:
    found = run("two-children", flavour, *target)
    assert found == {
        "parent": {"right": 500},
        "afterwards": {"right": 10},
        "child 0": {"right": 500},
        "child 1": {"right": 500},
    }


def test_locks_that_another_thread_holds(flavour: str, target: tuple[str, str | None]) -> None:
    assert run("held-locks", flavour, *target) == {"child 0": {"right": 5}}


@pytest.mark.heavy
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_the_connection_of_the_parent_stays_open(
    flavour: str, secure: bool, tmp_path: Path
) -> None:
    authority = trustme.CA()
    bundle = str(tmp_path / "ca.pem")
    authority.cert_pem.write_to_path(bundle)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    body = b'{"token": "e30.eyJza3lwZWlkIjoiYWNzOjEifQ.e30", "expiresOn": "2099-11-24T09:05:00Z"}'
    with RawServer(
        answer(body, "Content-Type: application/json"), context if secure else None
    ) as server:
        connection_string = f"endpoint={server.url};accesskey={KEY}"
        found = run("one-child", flavour, connection_string, bundle if secure else None)
    assert found == {"child 0": {"right": 1}}
    # One of the parent, for both of its calls, and one of the child.
    assert (len(server.requests), server.connections) == (3, 2)
