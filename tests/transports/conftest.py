"""Clients on each transport, a certificate authority, and an environment without proxies."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from either_client import KEY, ClientFactory
from transports.clients import Make, close_session, new_session
from transports.kept import Kept, MakeKept

_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="session")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def session(flavour: str, loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    session = new_session(flavour, loop)
    yield session
    close_session(session, loop)


@pytest.fixture(params=["default", "stock", "session"])
def make(
    request: pytest.FixtureRequest, flavour: str, make_client: ClientFactory, session: Any
) -> Make:
    """Makes a client on each transport: the default one, azure-core's, and one on a session."""

    def client(endpoint: str, credential: Any = KEY, **options: Any) -> Any:
        if request.param == "session":
            options["session"] = session
        elif request.param == "stock":
            # The async one would read .netrc from the environment.
            options["transport"] = (
                RequestsTransport(**options)
                if flavour == "sync"
                else AioHttpTransport(use_env_settings=False, **options)
            )
        return make_client(endpoint, credential, **{"retry_total": 0, **options})

    return client


@pytest.fixture
def make_kept(flavour: str, loop: asyncio.AbstractEventLoop) -> Iterator[MakeKept]:
    made: list[Kept] = []

    def make(**options: Any) -> Kept:
        made.append(Kept(flavour, loop, **options))
        return made[-1]

    yield make
    for kept in made:
        kept.run(kept.transport.close())
