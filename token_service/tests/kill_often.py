"""A process of the service is killed over and over, in the middle of all it does.

In each round a program is killed while one person is new, one gets a token, one signs out and one
is deleted, and another program goes on. As a command, with PostgreSQL and Redis:

    python token_service/tests/kill_often.py
"""

import argparse
import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

from cable import cable_to
from processes import Program
from running_service import (
    Browser,
    Services,
    Storage,
    Visitor,
    migrate,
    until_async,
    until_faults_are_used,
)
from test_token_service_kills import Crash, eventually, rows
from yarl import URL

from acs_identity_emulator import IdentityEmulator

OPERATIONS = ("create", "issue", "revoke", "delete")
# When a program is killed: its calls have arrived and nothing is done; all is done and no answer
# has arrived; at any moment.
MOMENTS = ("before", "after", "whenever")


class Findings(NamedTuple):
    """What the journal of the emulator and the database say in the end."""

    people: int
    created: int  # identities that were ever created
    deleted: int  # and deleted
    existing: int
    without_person: int
    with_two_identities: int
    unfinished: int  # sign-outs and deletions that the janitor has not finished

    def is_right(self, rounds: int) -> bool:
        # Of the four people of a round, one is deleted.
        return self == Findings(3 * rounds, 4 * rounds, rounds, 3 * rounds, 0, 0, 0)


class Round:
    """Four people, each in the middle of something."""

    def __init__(self, number: int, names: list[str]) -> None:
        self._number = number
        self._names = names
        self._visitors: list[Visitor] = []

    async def prepare(self, browser: Browser) -> None:
        self._visitors = [await browser.sign_in(f"{n}-{self._number}") for n in self._names]
        for visitor in self._visitors[1:]:  # the first one is new
            assert (await eventually(lambda v=visitor: v.ask("chat"))).status == 200  # type: ignore[misc]

    def steps(self, browser: Browser) -> list[Callable[[], Awaitable[Any]]]:
        new, asking, leaving, departing = (each.at(browser) for each in self._visitors)
        return [new.ask, lambda: asking.ask("voip"), leaving.sign_out, departing.delete]

    async def finish(self, browser: Browser) -> None:
        """Everybody asks the other program for what did not get an answer."""
        replies = await asyncio.gather(*map(eventually, self.steps(browser)))
        assert [reply.status for reply in replies[:2]] == [200, 200]
        for reply in replies[2:]:  # 401: the killed program had begun it, so it holds
            assert reply.status in (202, 204, 401), reply


async def kill(
    crash: Crash, moment: str, victim: Program, steps: list[Callable[[], Awaitable[Any]]]
) -> None:
    if moment == "before":
        for operation in OPERATIONS:
            crash.emulator.inject(operation, "delay:1")
    elif moment == "after":
        crash.hold_answers()
    tasks = [asyncio.ensure_future(step()) for step in steps]
    if moment == "before":
        await until_faults_are_used(crash.emulator)
    else:
        await asyncio.sleep(random.uniform(0.0, 0.3) if moment == "whenever" else 1.0)
    await victim.kill()
    await asyncio.gather(*tasks, return_exceptions=True)
    if moment == "after":
        await crash.mend()


async def kill_often(services: Services, crash: Crash, rounds: int) -> Findings:
    _, survivor = await crash.start()
    for number in range(rounds):
        async with crash.another() as (victim, browser):
            people = Round(number, ["new", "asking", "leaving", "departing"])
            await people.prepare(survivor)
            await kill(crash, MOMENTS[number % len(MOMENTS)], victim, people.steps(browser))
        await people.finish(survivor)
    await until_async(lambda: _is_tidy(services, rounds), seconds=60)
    return await findings(services)


async def _is_tidy(services: Services, rounds: int) -> bool:
    return (await findings(services)).is_right(rounds)


async def findings(services: Services) -> Findings:
    found, unused = await rows(services)
    journal = services.emulator.requests
    created = {call.user for call in journal.matching("create") if call.status in (200, 201)}
    deleted = {call.user for call in journal.matching("delete") if call.status == 204}
    identities = services.emulator.identities()
    existing = {identity.id for identity in identities}
    persons = [identity.custom_id for identity in identities]
    return Findings(
        people=len(found),
        created=len(created | existing),
        deleted=len(deleted),
        existing=len(existing),
        without_person=len(existing - set(found) - set(unused)),
        with_two_identities=len(persons) - len(set(persons)),
        unfinished=len(unused),
    )


@asynccontextmanager
async def crashing(services: Services) -> AsyncIterator[Crash]:
    url = URL(services.emulator.endpoint)
    async with AsyncExitStack() as stack:
        cable = await stack.enter_async_context(cable_to(str(url.host), int(url.port or 0)))
        yield Crash(services, cable, stack)


async def run(rounds: int, storage: Storage) -> bool:
    await migrate(storage.database_url)
    async with IdentityEmulator() as emulator, AsyncExitStack() as stack:
        services = Services(emulator, storage, stack)
        async with crashing(services) as crash:
            found = await kill_often(services, crash, rounds)
    sys.stdout.write(f"{rounds} processes killed, each in the middle of four steps\n")
    for name, value in found._asdict().items():
        sys.stdout.write(f"{name.replace('_', ' ')}: {value}\n")
    return found.is_right(rounds)


def main() -> int:
    from servers import postgresql, redis

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    with postgresql() as database, redis() as cache:
        storage = Storage(
            "servers",
            f"postgresql+asyncpg://postgres@{database.host}:{database.port}/postgres",
            f"redis://{cache.host}:{cache.port}/0",
        )
        return 0 if asyncio.run(run(options.rounds, storage)) else 1


if __name__ == "__main__":
    sys.exit(main())
