"""Each transport sends exactly what was signed, under load and with changing keys."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from transports.clients import Make

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity.aio import (
    CommunicationIdentityClient as AsyncCommunicationIdentityClient,
)

HOSTILE = [
    "a b",
    "a/b",
    "a%b",
    "a%2Fb",
    "a?b#c",
    "a+b",
    "ü漢😀",
    "a\\b\"<>|^`[]'()*!~$@:",
    "x" * 2048,
]


@pytest.fixture
def own_emulator() -> Iterator[IdentityEmulator]:
    """One whose keys may change."""
    with IdentityEmulator() as emulator:
        yield emulator


@pytest.mark.parametrize("raw_id", HOSTILE)
def test_hostile_ids(make: Make, emulator: IdentityEmulator, raw_id: str) -> None:
    client = make(emulator.endpoint, emulator.access_key)
    with pytest.raises(HttpResponseError) as raised:
        client.get_token(raw_id, ["chat"])
    assert raised.value.error is not None
    assert raised.value.error.code == "ValidationError"


def test_a_key_that_changes(make: Make, own_emulator: IdentityEmulator) -> None:
    credential = AzureKeyCredential(own_emulator.access_key)
    client = make(own_emulator.endpoint, credential)
    user = client.create_user()
    own_emulator.rotate_key("primary")
    with pytest.raises(ClientAuthenticationError):
        client.get_token(user, ["chat"])
    credential.update(own_emulator.secondary_key)
    assert client.get_token(user, ["chat"]).token


def test_retries(make: Make, emulator: IdentityEmulator) -> None:
    client = make(emulator.endpoint, emulator.access_key, retry_total=3, retry_backoff_factor=0)
    user = client.create_user()
    emulator.inject("issue", "status:503", 2)
    assert client.get_token(user, ["chat"]).token
    assert emulator.is_token_valid(client.get_token(user, ["chat"]).token)


def test_threads_that_share_a_client_while_its_key_changes(
    own_emulator: IdentityEmulator,
) -> None:
    keys = (own_emulator.access_key, own_emulator.secondary_key)
    credential = AzureKeyCredential(keys[0])
    with CommunicationIdentityClient(own_emulator.endpoint, credential) as client:
        user = client.create_user()
        done = threading.Event()

        def change() -> int:
            changes = 0
            while not done.wait(0.002):
                changes += 1
                credential.update(keys[changes % 2])
            return changes

        with ThreadPoolExecutor(9) as pool:
            changes = pool.submit(change)
            tokens = list(pool.map(lambda _: client.get_token(user, ["chat"]), range(300)))
            done.set()
    assert len(tokens) == 300
    assert changes.result() > 10


async def test_tasks_that_share_a_client_while_its_key_changes(
    own_emulator: IdentityEmulator,
) -> None:
    keys = (own_emulator.access_key, own_emulator.secondary_key)
    credential = AzureKeyCredential(keys[0])
    client: Any = AsyncCommunicationIdentityClient(own_emulator.endpoint, credential)
    async with client:
        user = await client.create_user()
        calls = iter(range(300))

        async def work() -> int:
            done = 0
            for call in calls:
                credential.update(keys[call % 2])
                await client.get_token(user, ["chat"])
                done += 1
            return done

        assert sum(await asyncio.gather(*(work() for _ in range(128)))) == 300
