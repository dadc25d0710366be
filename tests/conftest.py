"""A running emulator, a service that answers what a test tells it to, and both clients as one."""

import asyncio
import sys
from collections.abc import Iterator

import pytest
from either_client import ClientFactory, Clock, EitherClient
from scripted_service import ScriptedService

from acs_identity_emulator import IdentityEmulator


def pytest_configure(config: pytest.Config) -> None:
    if sys.version_info < (3, 11):
        # asyncio of 3.10 does not close the TLS transport of a connection that was reset.
        unclosed = "ignore:unclosed transport <asyncio.sslproto:ResourceWarning"
        config.addinivalue_line("filterwarnings", unclosed)


@pytest.fixture(scope="session")
def _clock_of_emulator() -> Clock:
    return Clock()


@pytest.fixture
def clock(_clock_of_emulator: Clock) -> Iterator[Clock]:
    """The clock of the emulator."""
    yield _clock_of_emulator
    _clock_of_emulator.offset = 0.0


@pytest.fixture(scope="session")
def emulator(_clock_of_emulator: Clock) -> Iterator[IdentityEmulator]:
    with IdentityEmulator(clock=_clock_of_emulator) as emulator:
        yield emulator


@pytest.fixture
def service() -> Iterator[ScriptedService]:
    with ScriptedService() as service:
        yield service


@pytest.fixture(params=["sync", "async"])
def flavour(request: pytest.FixtureRequest) -> str:
    """Each test that asks for it, directly or by a client, is run for both clients."""
    flavour: str = request.param
    return flavour


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def make_client(flavour: str, loop: asyncio.AbstractEventLoop) -> Iterator[ClientFactory]:
    factory = ClientFactory(flavour, loop)
    yield factory
    factory.close_all()


@pytest.fixture
def client(make_client: ClientFactory, emulator: IdentityEmulator) -> EitherClient:
    """Either client, of the emulator."""
    return make_client.from_connection_string(emulator.connection_string)


@pytest.fixture
def scripted_client(make_client: ClientFactory, service: ScriptedService) -> EitherClient:
    """Either client, of the scripted service, that does not wait between retries."""
    return make_client(service.endpoint, retry_backoff_factor=0)
