"""One Python client under measurement, in a separate process.

It runs with the official package or with ours, whichever its environment has. It reads commands
from standard input, a line each, and answers each with a line of JSON:

    calls N       N calls; their CPU seconds, wall seconds and the 99th percentile of the latencies
    memory        the resident memory in MB
    quit
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

ACCESS_KEY = "YmVuY2htYXJrLWtleS1iZW5jaG1hcmsta2V5LWJlbmNobWFyaw=="
RESOURCE = "8:acs:8f1f1a36-0000-4e09-a1bc-f0a8e0f0ffff"
IDS = 5000  # of users in turn: a single one would favor clients that cache URLs
SCOPES = ["chat", "voip"]


def user_ids() -> list[str]:
    return [f"{RESOURCE}_{number:08x}-1a2b-4c3d-9e8f-0123456789ab" for number in range(IDS)]


def users() -> list[Any]:
    from azure.communication.identity import CommunicationUserIdentifier

    return [CommunicationUserIdentifier(user_id) for user_id in user_ids()]


Calls = Callable[[int], list[float]]
"""Makes so many calls, and returns the seconds that each took."""


def sync_calls(endpoint: str, threads: int) -> Calls:
    from azure.communication.identity import CommunicationIdentityClient

    client = CommunicationIdentityClient(endpoint, ACCESS_KEY)
    everybody = users()
    turn = count()

    def some(number: int, latencies: list[float]) -> None:
        for _ in range(number):
            user = everybody[next(turn) % IDS]
            began = time.perf_counter()
            client.get_token(user, SCOPES)
            latencies.append(time.perf_counter() - began)

    def calls(number: int) -> list[float]:
        latencies: list[float] = []
        if threads == 1:
            some(number, latencies)
            return latencies
        workers = [
            threading.Thread(target=some, args=(number // threads, latencies))
            for _ in range(threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return latencies

    return calls


def async_calls(endpoint: str, tasks: int, loop: asyncio.AbstractEventLoop) -> Calls:
    from azure.communication.identity.aio import CommunicationIdentityClient

    client = CommunicationIdentityClient(endpoint, ACCESS_KEY)
    everybody = users()
    turn = count()

    async def some(numbers: Iterator[int], latencies: list[float]) -> None:
        for _ in numbers:
            user = everybody[next(turn) % IDS]
            began = time.perf_counter()
            await client.get_token(user, SCOPES)
            latencies.append(time.perf_counter() - began)

    async def all_tasks(number: int) -> list[float]:
        latencies: list[float] = []
        numbers = iter(range(number))
        await asyncio.gather(*(some(numbers, latencies) for _ in range(tasks)))
        return latencies

    return lambda number: loop.run_until_complete(all_tasks(number))


def floor_calls(endpoint: str, library: str, loop: asyncio.AbstractEventLoop) -> Calls:
    """The cost of a library that only sends the request, unsigned, and reads the JSON."""
    import floors

    send = floors.sender(endpoint, library, loop)
    targets = [
        f"/identities/{user}/:issueAccessToken?api-version=2025-06-30" for user in user_ids()
    ]
    turn = count()

    def calls(number: int) -> list[float]:
        send(targets[next(turn) % IDS] for _ in range(number))
        return []

    return calls


def measured(calls: Calls, number: int) -> dict[str, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    latencies = sorted(calls(number))
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "p99": latencies[int(len(latencies) * 0.99)] if latencies else 0.0,
    }


def resident_megabytes() -> float:
    with open("/proc/self/statm", encoding="ascii") as statistics:
        pages = int(statistics.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    endpoint, kind, concurrency = sys.argv[1], sys.argv[2], sys.argv[3]
    loop = asyncio.new_event_loop()
    if kind == "sync":
        calls = sync_calls(endpoint, int(concurrency))
    elif kind == "async":
        calls = async_calls(endpoint, int(concurrency), loop)
    else:
        calls = floor_calls(endpoint, concurrency, loop)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "quit":
            break
        if command == "memory":
            answer = {"memory": resident_megabytes()}
        else:
            answer = measured(calls, int(arguments[0]))
        print(json.dumps(answer), flush=True)
    os._exit(0)  # open connections belong to the benchmark


if __name__ == "__main__":
    main()
