"""Metrics for Prometheus."""

import os
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST
# Set by the supervisor of several workers, before this module is imported.
_SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

REQUEST_SECONDS = Histogram(
    "acs_token_request_seconds",
    "Time that requests took, and with _count how many there were, by route, method and status",
    ["route", "method", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
TOKENS_SERVED = Counter(
    "acs_token_served",
    "Tokens handed out: local, cache, issued, or old when issuing failed",
    ["origin"],
)
RESOURCE_CALLS = Counter(
    "acs_token_resource_calls",
    "Calls to the resource, by operation and outcome",
    ["operation", "outcome"],
)
RESOURCE_SECONDS = Histogram(
    "acs_token_resource_seconds", "Time that calls to the resource took", ["operation"]
)
QUEUE_SECONDS = Histogram(
    "acs_token_queue_seconds", "Time that calls waited for the limit of the resource", ["operation"]
)
QUEUE_REJECTED = Counter(
    "acs_token_queue_rejected", "Calls that could not start before their deadline", ["operation"]
)
IDENTITIES_UNACCOUNTED = Counter(
    "acs_token_identities_unaccounted",
    "Create calls without an answer and without a custom id: each may have left an identity behind",
)
SHARED_CACHE_UP = Gauge(
    "acs_token_shared_cache_up",
    "Whether the last command to Redis succeeded",
    multiprocess_mode="livemin",
)
RETIRED_IDENTITIES = Gauge(
    "acs_token_retired_identities",
    "Identities that wait for their deletion",
    multiprocess_mode="livemostrecent",
)
REFRESHED = Counter("acs_token_refreshed", "Tokens renewed ahead of time", ["outcome"])


@cache
def request_series(route: str, method: str, status: int) -> Histogram:
    """The series of such requests: finding it by its labels takes longer than adding to it.

    :param route: As it was registered, and `method` a known one: each value is a series.
    """
    return REQUEST_SECONDS.labels(route, method, status)


def exposition() -> bytes:
    """All metrics, of all workers where there are several, in the text format of Prometheus."""
    if os.environ.get(_SHARED_FOLDER):
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # has no annotations
        return generate_latest(registry)
    return generate_latest(REGISTRY)
