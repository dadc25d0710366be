"""Clients that talk to a cassette, and with ``--record`` to a service as well.

    pytest tests/recordings --record

records all cassettes anew, against the resource whose connection string is in
AZURE_COMMUNICATION_SERVICE_CONNECTION_STRING, else against the emulator.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from either_client import ClientFactory, EitherClient
from vcr import VCR
from vcr.cassette import Cassette

from acs_identity_emulator import IdentityEmulator

from .scrubbing import HOST, TOKEN, Scrubber

CASSETTES = Path(__file__).parent / "cassettes"
REPLAYED = f"endpoint=https://{HOST}/;accesskey=c2NydWJiZWQ="


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", action="store_true", help="record the cassettes anew")


@pytest.fixture(scope="session")
def is_recording(request: pytest.FixtureRequest) -> bool:
    # The default is for runs in which this file is read too late to add an option.
    return bool(request.config.getoption("--record", default=False))


class TeamsUser(NamedTuple):
    aad_token: str
    client_id: str
    user_object_id: str


class Resource(NamedTuple):
    connection_string: str
    teams_user: TeamsUser | None


@pytest.fixture(scope="session")
def resource(is_recording: bool) -> Iterator[Resource]:
    """The cases that are recorded, or replayed by name."""
    client_id, user_object_id = (f"00000000-0000-0000-0000-00000000900{n}" for n in (1, 2))
    if not is_recording:
        yield Resource(REPLAYED, TeamsUser(TOKEN, client_id, user_object_id))
    elif connection_string := os.environ.get("AZURE_COMMUNICATION_SERVICE_CONNECTION_STRING"):
        yield Resource(connection_string, None)
    else:
        with IdentityEmulator() as emulator:
            aad_token = emulator.issue_entra_token(
                client_id=client_id, user_object_id=user_object_id
            )
            teams_user = TeamsUser(aad_token, client_id, user_object_id)
            yield Resource(emulator.connection_string, teams_user)


@pytest.fixture(scope="session")
def teams_user(resource: Resource) -> TeamsUser:
    if resource.teams_user is None:
        pytest.skip("nobody is there to sign in as a Teams user of a real resource")
    return resource.teams_user


class Recording:
    """The cassette of a case, while it is recorded or replayed."""

    def __init__(self, cassette: Cassette, scrubber: Scrubber) -> None:
        self._cassette = cassette
        self._scrubber = scrubber

    @property
    def answer(self) -> Any:
        """The last response of the service, as on the cassette."""
        return json.loads(self._cassette.responses[-1]["body"]["string"])

    def on_cassette(self, content: object) -> Any:
        """Scrubs JSON on its way to the cassette. On replay, it is scrubbed already."""
        return self._scrubber.json(content)


@pytest.fixture
def recording(
    request: pytest.FixtureRequest, is_recording: bool, flavour: str
) -> Iterator[Recording]:
    """The cassette of the case. A missing exchange is an error, and so is an unused one."""
    path = CASSETTES / f"{request.function.__name__.removeprefix('test_')}.{flavour}.yaml"
    if is_recording:
        path.unlink(missing_ok=True)
    scrubber = Scrubber()
    recorder = VCR(
        record_mode="all" if is_recording else "none",
        match_on=["method", "uri", "body"],
        before_record_request=scrubber.request,
        before_record_response=scrubber.response,
    )
    with recorder.use_cassette(str(path)) as cassette:
        yield Recording(cassette, scrubber)
    assert is_recording or cassette.all_played


@pytest.fixture
def client(make_client: ClientFactory, resource: Resource, recording: Recording) -> EitherClient:
    return make_client.from_connection_string(resource.connection_string)
