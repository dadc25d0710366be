"""Clients that talk to a cassette, and with ``--record`` to a service as well.

    pytest tests/recordings --record

records all cassettes anew, against the resource whose connection string is in
AZURE_COMMUNICATION_SERVICE_CONNECTION_STRING, else against the emulator.
"""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from vcr import VCR
from vcr.cassette import Cassette

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity.aio import CommunicationIdentityClient as AsyncClient

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


class Service(NamedTuple):
    connection_string: str
    teams_user: TeamsUser | None


@pytest.fixture(scope="session")
def service(is_recording: bool) -> Iterator[Service]:
    """What is recorded, or the name under which it is replayed."""
    client_id, user_object_id = (f"00000000-0000-0000-0000-00000000900{n}" for n in (1, 2))
    if not is_recording:
        yield Service(REPLAYED, TeamsUser(TOKEN, client_id, user_object_id))
    elif resource := os.environ.get("AZURE_COMMUNICATION_SERVICE_CONNECTION_STRING"):
        yield Service(resource, None)
    else:
        with IdentityEmulator() as emulator:
            aad_token = emulator.issue_entra_token(
                client_id=client_id, user_object_id=user_object_id
            )
            teams_user = TeamsUser(aad_token, client_id, user_object_id)
            yield Service(emulator.connection_string, teams_user)


class Awaited:
    """A sync client whose methods are awaited, so that each case is written once."""

    def __init__(self, client: CommunicationIdentityClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._client, name)

        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **kwargs)

        return awaited


@pytest.fixture(scope="session")
def teams_user(service: Service) -> TeamsUser:
    if service.teams_user is None:
        pytest.skip("nobody is there to sign in as a Teams user of a real resource")
    return service.teams_user


Connect = Callable[[str], Awaitable[Any]]


@pytest.fixture(params=["sync", "async"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Makes a client, sync or async, of a connection string."""
    async with AsyncExitStack() as stack:

        async def _connect(connection_string: str) -> Any:
            if request.param == "sync":
                return Awaited(
                    stack.enter_context(
                        CommunicationIdentityClient.from_connection_string(connection_string)
                    )
                )
            return await stack.enter_async_context(
                AsyncClient.from_connection_string(connection_string)
            )

        yield _connect


class Recording:
    """The cassette of a case, while it is recorded or replayed."""

    def __init__(self, cassette: Cassette, scrubber: Scrubber) -> None:
        self._cassette = cassette
        self._scrubber = scrubber

    @property
    def answer(self) -> Any:
        """What the service answered last, as it is on the cassette."""
        return json.loads(self._cassette.responses[-1]["body"]["string"])

    def on_cassette(self, content: object) -> Any:
        """What becomes of some JSON on its way to the cassette. Replayed, it is there already."""
        return self._scrubber.json(content)


@pytest.fixture
def recording(
    request: pytest.FixtureRequest, is_recording: bool, connect: Connect
) -> Iterator[Recording]:
    """The cassette of the case. What is not on it is an error, and so is what is left on it."""
    flavour = request.node.callspec.params["connect"]
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
async def client(connect: Connect, service: Service, recording: Recording) -> Any:
    return await connect(service.connection_string)
