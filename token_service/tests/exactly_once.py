"""Many people ask several processes at once: what each of them gets in the end.

As a command it does so with 20,000 people and an emulator that throttles; it needs PostgreSQL and
Redis, and takes a quarter of an hour, since the service lets 900 new people in each 33 seconds to a
resource that allows 1000 in 30:

    python token_service/tests/exactly_once.py
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from processes import environment_of, program
from running_service import Browser, Reply, Services, Storage, Visitor, migrate

from acs_identity_emulator import IdentityEmulator


class Outcome:
    """What came of it."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.codes: Counter[str] = Counter()  # of errors
        self.without_retry_after = 0
        self.tokens: dict[str, set[str]] = {}
        self.identities: dict[str, set[str]] = {}
        self.signed_in_after = 0.0  # seconds until the last one had signed in
        self.seconds = 0.0

    def note(self, name: str, reply: Reply) -> None:
        self.statuses[reply.status] += 1
        if reply.status == 200:
            self.tokens.setdefault(name, set()).add(reply.body["token"])
            self.identities.setdefault(name, set()).add(reply.body["identity"])
        else:
            self.codes[reply.code] += 1
            self.without_retry_after += "Retry-After" not in reply.headers


async def crowd(
    urls: Sequence[str], people: int, *, asks: int = 3, within: float, at_once: int = 2000
) -> Outcome:
    """Everybody signs in within so many seconds and asks so often, at the processes in turn.

    A caller that gets Retry-After repeats its request after that time.

    :param at_once: How many connections the crowd has.
    """
    outcome, started = Outcome(), time.monotonic()

    async def ask_until_answered(visitor: Visitor, name: str) -> None:
        while True:
            async with places:
                reply = await visitor.ask()
            outcome.note(name, reply)
            if reply.status == 200 or "Retry-After" not in reply.headers:
                return
            await asyncio.sleep(float(reply.headers["Retry-After"]))

    async def person(number: int) -> None:
        name = f"person-{number}"
        await asyncio.sleep(within * number / people)
        async with places:
            visitor = await browsers[number % len(browsers)].sign_in(name)
        outcome.signed_in_after = time.monotonic() - started
        asked = [browsers[(number + turn) % len(browsers)] for turn in range(asks)]
        await asyncio.gather(*(ask_until_answered(visitor.at(each), name) for each in asked))

    places = asyncio.Semaphore(at_once)
    # No time limits of the client: a slow machine must not look like a service that fails.
    connector, timeout = TCPConnector(limit=at_once), ClientTimeout(total=None, sock_connect=None)
    async with ClientSession(connector=connector, timeout=timeout) as session:
        browsers = [Browser(url, session) for url in urls]
        await asyncio.gather(*(person(number) for number in range(people)))
    outcome.seconds = time.monotonic() - started
    return outcome


class Tally:
    """Counts the calls in the emulator's journal, which keeps the newest 10,000 only."""

    def __init__(self, emulator: IdentityEmulator) -> None:
        self._emulator = emulator
        self._last: Any = None
        self.calls: Counter[tuple[str | None, int]] = Counter()

    async def follow(self) -> None:
        while True:
            self.update()
            await asyncio.sleep(20)

    def update(self) -> None:
        entries = list(self._emulator.requests)
        if self._last is not None:
            del entries[: entries.index(self._last) + 1]  # a ValueError if it missed some
        for entry in entries:
            self.calls[entry.operation, entry.status] += 1
            self._last = entry


async def run(people: int, processes: int, within: float, storage: Storage) -> bool:
    """Prints what happened; returns whether everybody got one identity and one token."""
    found = await measure(people, processes, within, storage)
    wanted = {
        "requests that got a token": 3 * people,
        "people with one token": people,
        "people with one identity": people,
        "identities of the resource": people,
        "create calls": people,
        "issue calls": people,
        "429 from the resource": 0,
        "answers other than 200 and 503": 0,
        "503 without Retry-After": 0,
    }
    say(f"{people} people, {processes} processes, all signed in within {within:.0f} s")
    say("| | found | wanted |\n|---|---|---|")
    for name, value in found.items():
        say(f"| {name} | {value:,} | {format(wanted[name], ',') if name in wanted else ''} |")
    return all(found[name] == value for name, value in wanted.items())


async def measure(people: int, processes: int, within: float, storage: Storage) -> dict[str, int]:
    await migrate(storage.database_url)
    async with (
        IdentityEmulator(throttle=True, retry_after=True) as emulator,
        AsyncExitStack() as stack,
    ):
        # Patient with a slow machine, not with the resource: waits for it are the default.
        settings = Services(emulator, storage, stack).settings(
            call_seconds=60, database_seconds=60, cache_seconds=30, processes=processes
        )
        environment = {**environment_of(settings), "ACS_TOKEN_LOG_REQUESTS": "false"}
        programs = [
            await stack.enter_async_context(program(environment=environment, errors=None))
            for _ in range(processes)
        ]
        tally = Tally(emulator)
        following = asyncio.create_task(tally.follow())
        outcome = await crowd([each.url for each in programs], people, within=within)
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        tally.update()
        return dict(rows(outcome, tally, len(emulator.identities()), people))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def rows(outcome: Outcome, tally: Tally, identities: int, people: int) -> Iterator[tuple[str, int]]:
    statuses, calls = outcome.statuses, tally.calls
    yield "requests that got a token", statuses[200]
    yield "people with one token", sum(len(each) == 1 for each in outcome.tokens.values())
    yield "people with one identity", sum(len(each) == 1 for each in outcome.identities.values())
    yield "identities of the resource", identities
    yield "create calls", sum(n for (name, _), n in calls.items() if name == "create")
    yield "issue calls", sum(n for (name, _), n in calls.items() if name == "issue")
    yield "429 from the resource", sum(n for (_, status), n in calls.items() if status == 429)
    yield "answers other than 200 and 503", sum(statuses.values()) - statuses[200] - statuses[503]
    yield "503 without Retry-After", outcome.without_retry_after
    yield "503 with Retry-After", statuses[503] - outcome.without_retry_after
    for code, number in sorted(outcome.codes.items()):
        yield f"of them {code}", number
    yield "seconds until the last had signed in", round(outcome.signed_in_after)
    yield "seconds until the last had its token", round(outcome.seconds)
    yield "seconds that the limit makes it take at least", max(0, round((people / 900 - 1) * 33))


def main() -> int:
    from servers import postgresql, redis

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--within", type=float, default=60, help="seconds in which all sign in")
    options = parser.parse_args()
    with postgresql() as database, redis() as cache:
        storage = Storage(
            "servers",
            f"postgresql+asyncpg://postgres@{database.host}:{database.port}/postgres",
            f"redis://{cache.host}:{cache.port}/0",
        )
        done = run(options.people, options.processes, options.within, storage)
        return 0 if asyncio.run(done) else 1


if __name__ == "__main__":
    sys.exit(main())
