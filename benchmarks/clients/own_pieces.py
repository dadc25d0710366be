"""The gain of each own piece of the pipeline, compared to azure-core's.

    python benchmarks/clients/own_pieces.py

Needs Linux, nginx, and the library with its extra aio in this environment. Each round calls all
variants in turn; a figure is the median of the rounds' ratios: how much more CPU a call takes
with azure-core's piece.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from statistics import median
from typing import Any
from unittest import mock

from azure.core.pipeline import AsyncPipeline, Pipeline
from azure.core.pipeline.policies import (
    ContentDecodePolicy,
    NetworkTraceLoggingPolicy,
    RequestIdPolicy,
)
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from python_worker import ACCESS_KEY, IDS, SCOPES, users
from server import nginx
from workers import pinned_to

from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity._pipeline import assembly
from azure.communication.identity.aio import (
    CommunicationIdentityClient as AsyncCommunicationIdentityClient,
)

ROUNDS, CALLS, TASKS = 15, 400, 64
OURS = "as it is"


@contextmanager
def pipelines_of_azure_core() -> Iterator[None]:
    with mock.patch.multiple(assembly, ChainPipeline=Pipeline, AsyncChainPipeline=AsyncPipeline):
        yield


def variants(make: Callable[..., Any], stock_transport: Any) -> dict[str, Any]:
    with pipelines_of_azure_core():
        stock_pipeline = make()
    return {
        OURS: make(),
        "pipeline of azure-core": stock_pipeline,
        "request ids of uuid1": make(request_id_policy=RequestIdPolicy()),
        "log policy that redacts nothing": make(logging_policy=NetworkTraceLoggingPolicy()),
        "ContentDecodePolicy": make(per_call_policies=[ContentDecodePolicy()]),
        "transport of azure-core": make(transport=stock_transport),
    }


def print_figures(kind: str, found: dict[str, list[float]]) -> None:
    print(f"{kind}: a call takes {1e6 * median(found[OURS]) / CALLS:.0f} \u00b5s of CPU; with")
    for name, seconds in found.items():
        if name != OURS:
            ratios = [theirs / ours for theirs, ours in zip(seconds, found[OURS], strict=True)]
            print(f"    {name + ':':<40}{100 * (median(ratios) - 1):>+6.1f} %")


def measure_sync(endpoint: str) -> None:
    clients = variants(
        lambda **options: CommunicationIdentityClient(endpoint, ACCESS_KEY, **options),
        RequestsTransport(),
    )
    everybody, turn = users(), count()
    found: dict[str, list[float]] = {name: [] for name in clients}
    for number in range(-1, ROUNDS):
        for name, client in clients.items():
            began = time.process_time()
            for _ in range(CALLS):
                client.get_token(everybody[next(turn) % IDS], SCOPES)
            if number >= 0:
                found[name].append(time.process_time() - began)
    for client in clients.values():
        client.close()
    print_figures("sync", found)


async def measure_async(endpoint: str) -> None:
    clients = variants(
        lambda **options: AsyncCommunicationIdentityClient(endpoint, ACCESS_KEY, **options),
        AioHttpTransport(use_env_settings=False),
    )
    everybody, turn = users(), count()

    async def some(client: Any, numbers: Iterator[int]) -> None:
        for _ in numbers:
            await client.get_token(everybody[next(turn) % IDS], SCOPES)

    found: dict[str, list[float]] = {name: [] for name in clients}
    for number in range(-1, ROUNDS):
        for name, client in clients.items():
            numbers = iter(range(CALLS))
            began = time.process_time()
            await asyncio.gather(*(some(client, numbers) for _ in range(TASKS)))
            if number >= 0:
                found[name].append(time.process_time() - began)
    for client in clients.values():
        await client.close()
    print_figures(f"async, {TASKS} tasks", found)


if __name__ == "__main__":
    os.sched_setaffinity(0, {0})
    with nginx(pinned_to(1)) as server:
        measure_sync(server)
        asyncio.run(measure_async(server))
