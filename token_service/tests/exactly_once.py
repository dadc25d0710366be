"""Many people ask several processes at once: what each of them gets in the end."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from aiohttp import ClientSession, TCPConnector
from running_service import Browser, Reply


class Outcome(NamedTuple):
    """What came of it."""

    statuses: Counter[int]
    without_retry_after: int
    tokens: dict[str, set[str]]
    identities: dict[str, set[str]]
    seconds: float


async def crowd(
    urls: Sequence[str], people: int, *, asks: int = 3, within: float, at_once: int = 200
) -> Outcome:
    """Everybody signs in within so many seconds and asks so often, at the processes in turn.

    A caller that gets Retry-After repeats its request after that time.
    """
    statuses: Counter[int] = Counter()
    without_retry_after = 0
    tokens: dict[str, set[str]] = {}
    identities: dict[str, set[str]] = {}
    started = time.monotonic()

    async def ask_until_answered(browser: Browser, name: str) -> None:
        nonlocal without_retry_after
        visitor = await browser.sign_in(name)
        while True:
            async with places:
                reply: Reply = await visitor.ask()
            statuses[reply.status] += 1
            if reply.status == 200:
                tokens.setdefault(name, set()).add(reply.body["token"])
                identities.setdefault(name, set()).add(reply.body["identity"])
                return
            if "Retry-After" not in reply.headers:
                without_retry_after += 1
                return
            await asyncio.sleep(float(reply.headers["Retry-After"]))

    async def person(number: int) -> None:
        await asyncio.sleep(within * number / people)
        asking = [
            ask_until_answered(browsers[(number + turn) % len(browsers)], f"person-{number}")
            for turn in range(asks)
        ]
        await asyncio.gather(*asking)

    places = asyncio.Semaphore(at_once)
    async with ClientSession(connector=TCPConnector(limit=at_once)) as session:
        browsers = [Browser(url, session) for url in urls]
        await asyncio.gather(*(person(number) for number in range(people)))
    return Outcome(statuses, without_retry_after, tokens, identities, time.monotonic() - started)
