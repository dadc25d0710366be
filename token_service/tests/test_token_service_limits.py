"""The limits of the resource, over all processes, and those of a person."""

import time
from typing import Any

import pytest
from running_service import Calls, Services, Storage, Visitor

from acs_token_service.tokens import deadlines
from acs_token_service.tokens.errors import BusyError
from acs_token_service.tokens.limiter import Limiter
from acs_token_service.tokens.shared import SharedRedis
from acs_token_service.tokens.windows import MARGIN_SECONDS

SERVERS = pytest.param("servers", marks=pytest.mark.heavy)


async def people(
    services: Services, number: int, name: str = "person", **settings: Any
) -> list[Visitor]:
    """A number of people, each at a separate process."""
    browser = await services.start(**settings)
    return [await browser.sign_in(f"{name}-{each}") for each in range(number)]


async def test_what_is_over_the_limit_is_told_at_once_when_to_come_back(services: Services) -> None:
    crowd = await people(services, 12, limit_issue=10, limit_reserve=0.2)
    calls = Calls()
    started = time.monotonic()
    replies = [await visitor.ask() for visitor in crowd]
    assert time.monotonic() - started < 10  # less than any request would have waited
    assert [reply.status for reply in replies] == [200] * 8 + [503] * 4
    assert calls("issue") == 8
    waits = [int(reply.headers["Retry-After"]) for reply in replies[8:]]
    # Each later than the one before, at the pace of the window: no herd comes back at once.
    assert waits == sorted(waits)
    assert waits[0] <= 34
    assert waits[-1] >= waits[0] + 3 * 30 // 10
    assert all(reply.code == "Busy" for reply in replies[8:])


async def test_processes_share_the_limit(services: Services) -> None:
    settings: dict[str, Any] = {"limit_issue": 10, "limit_reserve": 0, "processes": 2}
    crowds = [await people(services, 6, name=name, **settings) for name in ("here", "there")]
    calls = Calls()
    statuses = [(await visitor.ask()).status for crowd in crowds for visitor in crowd]
    # Without Redis each process keeps to its half.
    here = 6 if services.storage.is_shared else 5
    assert statuses[:6] == [200] * here + [503] * (6 - here)
    assert statuses[6:] == [200] * (10 - here) + [503] * (here - 4)
    assert calls("issue") == 10


async def test_a_sign_out_has_a_reserve(services: Services) -> None:
    crowd = await people(services, 8, limit_revoke=8, limit_reserve=0.5)
    tokens = [await visitor.token() for visitor in crowd]
    assert [(await visitor.sign_out()).status for visitor in crowd] == [204] * 8
    assert not any(services.emulator.is_token_valid(token) for token in tokens)


async def test_a_sign_out_beyond_the_limit_is_kept_for_later(services: Services) -> None:
    crowd = await people(services, 3, limit_revoke=2, limit_reserve=0, request_seconds=1)
    tokens = [await visitor.token() for visitor in crowd]
    assert [(await visitor.sign_out()).status for visitor in crowd] == [204, 204, 202]
    # The tokens of the third are not handed out any more, although they are not revoked yet.
    assert (await crowd[2].ask()).code == "SignedOut"
    assert services.emulator.is_token_valid(tokens[2])


async def test_one_person_cannot_use_up_the_limit(services: Services) -> None:
    browser = await services.start(person_issue_rate="3/minute", limit_issue=1000)
    ada = await browser.sign_in("ada")
    replies = []
    for _ in range(5):
        services.emulator.inject("issue", "status:500", times=2)
        replies.append(await ada.ask())
    assert [reply.status for reply in replies] == [503] * 3 + [429] * 2
    assert replies[-1].code == "TooManyRequests"
    assert int(replies[-1].headers["Retry-After"]) >= 1
    bob = await browser.sign_in("bob")
    assert (await bob.ask()).status != 429


async def test_one_person_cannot_ask_all_the_time(services: Services) -> None:
    browser = await services.start(person_rate="5/hour")
    ada = await browser.sign_in("ada")
    statuses = [(await ada.ask()).status for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert (await ada.sign_out()).status == 429
    assert (await (await browser.sign_in("bob")).ask()).status == 200


@pytest.mark.parametrize("storage", ["embedded"], indirect=True)
async def test_those_who_wait_are_served_in_turn(services: Services) -> None:
    browser = await services.start()
    services.emulator.inject("issue", "status:429:1")
    crowd = [await browser.sign_in(f"person-{each}") for each in range(4)]
    assert (await crowd[0].ask()).status == 503
    # The window opens in a second; those who can wait so long do.
    assert [(await visitor.ask()).status for visitor in crowd] == [200] * 4


@pytest.mark.parametrize("storage", ["embedded", SERVERS], indirect=True)
async def test_a_call_that_arrived_late_is_counted_when_it_may_have_arrived(
    storage: Storage,
) -> None:
    shared = SharedRedis(storage.cache_url, timeout=30) if storage.is_shared else None
    here, there = (
        Limiter({"issue": 10}, reserve=0.2, processes=1, person_rate="1/second", shared=shared)
        for _ in range(2)
    )
    deadline = deadlines.now() + 30
    turns = [await here.turn("issue", deadline) for _ in range(4)]
    for turn in turns:
        await here.ended("issue", turn)  # in time
    for turn in turns[:3]:
        await here.ended("issue", turn - MARGIN_SECONDS - 1)
    # Eight may start with the reserve of two. Four did, and three may have arrived just now.
    await here.turn("issue", deadline)
    for limiter in [here, there] if shared else [here]:
        with pytest.raises(BusyError):
            await limiter.turn("issue", deadlines.now() + 0.5)
        await limiter.close()
    if shared:
        await shared.close()
