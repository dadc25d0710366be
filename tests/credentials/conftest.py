"""What the tests of credentials share."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from credentials.support import AsyncDriver, Clock, FakeTimer, Refresher, SyncDriver, make_jwt

from azure.communication.identity._shared import user_credential, user_credential_async


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jwt() -> Callable[..., str]:
    return make_jwt


@pytest.fixture
def refresher_class() -> type[Refresher]:
    return Refresher


@pytest.fixture(params=[SyncDriver, AsyncDriver], ids=["sync", "async"])
async def driver(request: pytest.FixtureRequest) -> Any:
    driver = request.param()
    yield driver
    for credential in driver.credentials:
        await driver.close(credential)


@pytest.fixture
def fake_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_credential, "Alarm", FakeTimer)
    monkeypatch.setattr(user_credential_async, "LoopTimer", FakeTimer)


@pytest.fixture
def wait_until() -> Callable[[Callable[[], object]], None]:
    def wait_until(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.001)

    return wait_until


@pytest.fixture(autouse=True)
def no_thread_is_left(request: pytest.FixtureRequest) -> Any:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 10
    # Not joined, as a thread that has just been made cannot be.
    while any(
        thread.name == "CommunicationTokenCredential"
        for thread in set(threading.enumerate()) - before
    ):
        assert time.monotonic() < deadline
        time.sleep(0.001)
