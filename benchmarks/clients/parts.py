"""Where an async get_token spends its time, at 64 tasks.

    python benchmarks/clients/parts.py

Needs Linux, nginx, and the library with its extra aio in this environment. Prints the CPU of a
call, the CPU of a call whose transport answers from memory, and in whose code the profiler finds
the time of a call. The profiler overstates short functions: its shares are rough.
"""

import asyncio
import cProfile
import os
import pstats
import time
from collections import Counter
from itertools import count
from typing import Any

from azure.core.pipeline.transport import AsyncHttpTransport
from python_worker import ACCESS_KEY, IDS, SCOPES, users
from server import nginx
from workers import pinned_to

from azure.communication.identity._transports._aiohttp_attempts import (
    AsyncAttempt,
    AttemptsUnderWay,
)
from azure.communication.identity._transports._aiohttp_response import AiohttpResponse
from azure.communication.identity._transports._settings import Timeouts
from azure.communication.identity.aio import CommunicationIdentityClient

TASKS, CALLS = 64, 5000
_ANSWER = b'{"token":"%b","expiresOn":"2099-11-25T12:30:05.1234567+00:00"}' % (b"e" * 750)


class _Memory(AsyncHttpTransport[Any, Any]):
    """Answers without a network."""

    async def send(self, request: Any, **kwargs: Any) -> Any:
        internal: Any = type("Internal", (), {"status": 200, "reason": "OK", "headers": {}})
        under_way = AttemptsUnderWay(asyncio.get_running_loop())
        attempt = AsyncAttempt(under_way, Timeouts(None, None), None, False)
        response = AiohttpResponse(request, internal, attempt, "", 4096, decompress=True)
        response._content = _ANSWER
        return response

    async def open(self) -> None:
        """Has nothing to open."""

    async def close(self) -> None:
        """Has nothing to close."""

    async def __aexit__(self, *args: object) -> None:
        """Has nothing to close."""


async def calls(client: CommunicationIdentityClient) -> None:
    everybody, turn = users(), count()

    async def some() -> None:
        while (number := next(turn)) < CALLS:
            await client.get_token(everybody[number % IDS], SCOPES)

    await asyncio.gather(*(some() for _ in range(TASKS)))


async def microseconds(client: CommunicationIdentityClient) -> float:
    """CPU of a call, the least of five runs."""
    found = []
    for _ in range(5):
        began = time.process_time()
        await calls(client)
        found.append(time.process_time() - began)
    return 1e6 * min(found) / CALLS


def owner(file: str, function: str) -> str:
    """Whose code a function is."""
    if file == "~":
        return "sockets" if "_socket.socket" in function else "built into Python"
    for part, name in (
        ("/azure/core/", "azure-core"),
        ("/azure/communication/", "this library"),
        ("/aiohttp/", "aiohttp"),
        ("/asyncio/", "asyncio"),
    ):
        if part in file:
            return name
    return "standard library and others"


async def measure(endpoint: str) -> None:
    def client(**options: Any) -> CommunicationIdentityClient:
        return CommunicationIdentityClient(endpoint, ACCESS_KEY, **options)

    async with client() as whole, client(transport=_Memory()) as without:
        print(f"a call: {await microseconds(whole):.0f} us of CPU")
        print(f"a call without a transport: {await microseconds(without):.0f} us of CPU")
        profiler = cProfile.Profile()
        profiler.enable()
        await calls(whole)
        profiler.disable()
    shares: Counter[str] = Counter()
    profile: Any = pstats.Stats(profiler)
    for (file, _, function), (_, _, own_time, _, _) in profile.stats.items():
        shares[owner(file, function)] += own_time
    for name, seconds in shares.most_common():
        print(f"{100 * seconds / sum(shares.values()):>4.0f} % {name}")


if __name__ == "__main__":
    os.sched_setaffinity(0, {0})
    with nginx(pinned_to(1)) as server:
        asyncio.run(measure(server))
