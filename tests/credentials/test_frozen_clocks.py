"""Credentials of programs under test whose time is frozen, by freezegun or time-machine."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import freezegun
import pytest
import time_machine
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from credentials.support import START

from azure.communication.identity._shared import token_refresh

Advance = Callable[[float], object]


@pytest.fixture(params=["freezegun", "time-machine"])
def advance(request: pytest.FixtureRequest) -> Iterator[Advance]:
    """Advances the time, which otherwise stays at START."""
    start = datetime.fromtimestamp(START, timezone.utc)
    if request.param == "freezegun":
        with freezegun.freeze_time(start, real_asyncio=True) as frozen:
            yield lambda seconds: frozen.tick(timedelta(seconds=seconds))
    else:
        with time_machine.travel(start, tick=False) as traveller:
            yield traveller.shift


class Refresher:
    """Returns tokens that expire after an hour of the frozen time."""

    def __init__(self, *errors: Exception) -> None:
        self.calls = 0
        self._errors = list(errors)

    def __call__(self) -> Any:
        self.calls += 1
        if self._errors:
            raise self._errors.pop()
        return AccessToken(f"token-{self.calls}", int(time.time()) + 3600)


async def test_a_token_is_refreshed_when_its_time_has_come(driver: Any, advance: Advance) -> None:
    refresher = Refresher()
    credential = driver.make(None, refresher)

    assert await driver.get(credential) == AccessToken("token-1", START + 3600)
    advance(3480)
    assert (await driver.get(credential)).token == "token-1"
    advance(1)
    assert (await driver.get(credential)).token == "token-2"


async def test_a_failure_is_served_while_the_time_stands_still(
    driver: Any, advance: Advance
) -> None:
    refresher = Refresher(OSError())
    credential = driver.make(None, refresher)

    for _ in range(3):
        with pytest.raises(ClientAuthenticationError):
            await driver.get(credential)
    assert refresher.calls == 1
    advance(1)
    assert (await driver.get(credential)).token == "token-2"


# freezegun shows the real time to threads, and to the tasks that the event loop starts.
@pytest.mark.parametrize("advance", ["time-machine"], indirect=True)
async def test_a_proactive_credential_waits_in_real_time(
    driver: Any, advance: Advance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_refresh, "_SHORTEST_DELAY", 0.01)
    refresher = Refresher()
    credential = driver.make(None, refresher, proactive_refresh=True)
    await driver.enter(credential)
    for _ in range(1000):
        if refresher.calls:
            break
        await asyncio.sleep(0.01)

    assert (await driver.get(credential)).token == "token-1"
    advance(3001)
    assert (await driver.get(credential)).token == "token-2"
    assert credential._timer.interval == 3000
    await driver.close(credential)
