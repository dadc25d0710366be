"""Clients, responses and exceptions are copied and sent to other processes, without connections."""

import copy
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.reduction import ForkingPickler
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from either_client import ClientFactory, EitherClient

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import CommunicationIdentityClient

Copy = Callable[[Any], Any]


def _through_pickle(thing: Any) -> Any:
    # As multiprocessing does it, which sends open sockets along.
    data = bytes(ForkingPickler.dumps(thing))
    for of_connections in (b"_socket", b"socket", b"reduction", b"DupFd"):
        assert of_connections not in data.replace(b"_transports", b"")
    return pickle.loads(data)


@pytest.fixture(params=[_through_pickle, copy.deepcopy], ids=["pickle", "deepcopy"])
def copied(request: pytest.FixtureRequest) -> Copy:
    function: Copy = request.param
    return function


@pytest.fixture
def used(client: EitherClient) -> EitherClient:
    """A client with an open connection."""
    client.create_user()
    return client


def test_a_used_client(used: EitherClient, make_client: ClientFactory, copied: Copy) -> None:
    again = make_client.adopt(copied(used.wrapped))
    assert again.create_user().raw_id
    assert used.create_user().raw_id


def test_a_refused_call(used: EitherClient, copied: Copy) -> None:
    with pytest.raises(HttpResponseError) as raised:
        used.get_token(used.create_user(), ["nonsense"])
    first: Any = raised.value
    again = copied(first)
    assert type(again) is type(first)
    assert str(again) == str(first)
    assert (again.status_code, again.reason) == (400, first.reason)
    assert again.error.code == "ValidationError"
    for name in ("status_code", "reason", "url", "content_type", "encoding"):
        assert getattr(again.response, name) == getattr(first.response, name)
    assert dict(again.response.headers) == dict(first.response.headers)
    assert again.response.json() == first.response.json()
    assert again.response.text() == first.response.text()
    assert repr(again.response) == repr(first.response)


def test_a_call_that_could_not_be_sent(make_client: ClientFactory, copied: Copy) -> None:
    client = make_client("http://127.0.0.1:1", retry_total=0)
    with pytest.raises(ServiceRequestError) as raised:
        client.create_user()
    again = copied(raised.value)
    assert (type(again), str(again)) == (ServiceRequestError, str(raised.value))


def _raw_id(client: CommunicationIdentityClient) -> str:
    return client.create_user().raw_id


def _refused(client: CommunicationIdentityClient, user: str) -> str:
    return client.get_token(user, ["nonsense"]).token


@pytest.fixture(params=["spawn", "forkserver"])
def pool(request: pytest.FixtureRequest) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context(request.param)) as pool:
        yield pool


def test_a_pool_of_processes(emulator: IdentityEmulator, pool: ProcessPoolExecutor) -> None:
    with CommunicationIdentityClient.from_connection_string(emulator.connection_string) as client:
        user = client.create_user().raw_id
        assert pool.submit(_raw_id, client).result(60) != user
        with pytest.raises(HttpResponseError) as raised:
            pool.submit(_refused, client, user).result(60)
    error: Any = raised.value
    assert (error.status_code, error.error.code) == (400, "ValidationError")
    assert error.response.headers["Content-Type"]
