"""Where a get_token spends its time, by the sync client and in 64 tasks of the async one.

    python benchmarks/clients/parts.py

Needs Linux, nginx, and the library with its extra aio in this environment. Prints the CPU of a
call, of a call whose transport answers from memory, and of an unsigned request by the HTTP library
alone; then in whose code the profiler finds the time of a call. The profiler overstates short
functions: its shares are rough.
"""

import asyncio
import cProfile
import os
import pstats
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import floors
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from python_worker import ACCESS_KEY, IDS, SCOPES, user_ids, users
from server import nginx
from workers import pinned_to

from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity._transports._urllib3_response import Urllib3Response
from azure.communication.identity.aio import CommunicationIdentityClient as AsyncClient

TASKS, CALLS, RUNS = 64, 3000, 5
_ANSWER = b'{"token":"%b","expiresOn":"2099-11-25T12:30:05.1234567+00:00"}' % (b"e" * 750)


def answer(request: Any) -> Any:
    """The response to any request."""
    raw = SimpleNamespace(status=200, reason="OK", headers={})
    response = Urllib3Response(request, raw, None, "", 4096)  # type: ignore[arg-type]
    response._content = _ANSWER
    return response


class _Memory(HttpTransport[Any, Any]):
    """Answers without a network."""

    def send(self, request: Any, **kwargs: Any) -> Any:
        return answer(request)

    def open(self) -> None:
        """Has nothing to open."""

    def close(self) -> None:
        """Has nothing to close."""

    def __exit__(self, *args: object) -> None:
        """Has nothing to close."""


class _AsyncMemory(AsyncHttpTransport[Any, Any]):
    """Answers without a network."""

    async def send(self, request: Any, **kwargs: Any) -> Any:
        return answer(request)

    async def open(self) -> None:
        """Has nothing to open."""

    async def close(self) -> None:
        """Has nothing to close."""

    async def __aexit__(self, *args: object) -> None:
        """Has nothing to close."""


Calls = Callable[[], object]
"""Makes all calls."""


def sync_calls(endpoint: str, **options: Any) -> Calls:
    """All calls of the sync client."""
    client, everybody = CommunicationIdentityClient(endpoint, ACCESS_KEY, **options), users()

    def calls() -> None:
        for number in range(CALLS):
            client.get_token(everybody[number % IDS], SCOPES)

    return calls


def async_calls(endpoint: str, loop: asyncio.AbstractEventLoop, **options: Any) -> Calls:
    """All calls of the async client."""
    client, everybody = AsyncClient(endpoint, ACCESS_KEY, **options), users()

    async def calls() -> None:
        turn = count()

        async def some() -> None:
            while (number := next(turn)) < CALLS:
                await client.get_token(everybody[number % IDS], SCOPES)

        await asyncio.gather(*(some() for _ in range(TASKS)))

    return lambda: loop.run_until_complete(calls())


def library_calls(endpoint: str, library: str, loop: asyncio.AbstractEventLoop) -> Calls:
    """As many requests by an HTTP library alone."""
    send = floors.sender(endpoint, library, loop)
    targets = [
        f"/identities/{user}/:issueAccessToken?api-version=2025-06-30" for user in user_ids()
    ]
    return lambda: send(iter(targets[:CALLS]))


def microseconds(parts: dict[str, Calls]) -> dict[str, float]:
    """CPU of a call, the least of some runs, which take turns."""
    found: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(RUNS):
        for name, calls in parts.items():
            began = time.process_time()
            calls()
            found[name].append(time.process_time() - began)
    return {name: 1e6 * min(seconds) / CALLS for name, seconds in found.items()}


def owner(file: str, function: str) -> str:
    """Whose code a function is."""
    if file == "~":
        return "sockets" if "_socket.socket" in function else "built into Python"
    for part, name in (
        ("/azure/core/", "azure-core"),
        ("/azure/communication/", "this library"),
        ("/urllib3/", "urllib3"),
        ("/http/client", "http.client and email"),
        ("/email/", "http.client and email"),
        ("/aiohttp/", "aiohttp"),
        ("/asyncio/", "asyncio"),
    ):
        if part in file:
            return name
    return "standard library and others"


def shares(calls: Calls) -> list[tuple[str, float]]:
    """The owners of the code that a profile finds, with the percentage of each."""
    profiler = cProfile.Profile()
    profiler.runcall(calls)
    found: Counter[str] = Counter()
    profile: Any = pstats.Stats(profiler)
    for (file, _, function), (_, _, own_time, _, _) in profile.stats.items():
        found[owner(file, function)] += own_time
    return [(name, 100 * seconds / sum(found.values())) for name, seconds in found.most_common()]


def measure(endpoint: str) -> object:
    """Prints the parts of both clients.

    :return: The clients, whose connections stay open as long as the result is kept.
    """
    loop = asyncio.new_event_loop()
    clients: dict[str, dict[str, Calls]] = {
        "sync": {
            "a call": sync_calls(endpoint),
            "without a transport": sync_calls(endpoint, transport=_Memory()),
            "urllib3 alone": library_calls(endpoint, "urllib3", loop),
        },
        "async, 64 tasks": {
            "a call": async_calls(endpoint, loop),
            "without a transport": async_calls(endpoint, loop, transport=_AsyncMemory()),
            "aiohttp alone": library_calls(endpoint, f"aiohttp, {TASKS} tasks", loop),
        },
    }
    for client, parts in clients.items():
        print(client)
        for name, cpu in microseconds(parts).items():
            print(f"{cpu:>7.0f} \u00b5s {name}")
        for name, share in shares(parts["a call"]):
            print(f"{share:>7.0f} %  {name}")
    return clients


if __name__ == "__main__":
    os.sched_setaffinity(0, {0})
    with nginx(pinned_to(1)) as server:
        kept = measure(server)
    sys.stdout.flush()
    os._exit(0)  # open connections belong to the benchmark
