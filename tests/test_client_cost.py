"""The cost of making a client."""

import gc
import tracemalloc

import pytest
from azure.core.exceptions import HttpResponseError
from either_client import KEY, ClientFactory
from scripted_service import ScriptedService

TOKEN = {"token": "a", "expiresOn": "2026-11-24T09:05:00+00:00"}
TOKEN_2099 = {"token": "a", "expiresOn": "2099-11-24T09:05:00+00:00"}


def test_a_client_takes_less_than_20_kib(make_client: ClientFactory) -> None:
    make_client("https://host", KEY)
    gc.collect()
    tracemalloc.start()
    kept = [make_client("https://host", KEY) for _ in range(50)]
    size = tracemalloc.get_traced_memory()[0] / len(kept)
    tracemalloc.stop()
    assert size < 20 * 1024


def test_what_is_set_for_retries_is_set_for_one_client(
    make_client: ClientFactory, service: ScriptedService
) -> None:
    service.will_answer(503).will_answer(503).will_answer(200, TOKEN)
    impatient = make_client(service.endpoint, KEY, retry_total=1, retry_backoff_factor=0)
    with pytest.raises(HttpResponseError, match="Service Unavailable"):
        impatient.get_token("8:acs:1", ["chat"])
    assert len(service.requests) == 2
    patient = make_client(service.endpoint, KEY)
    assert patient.get_token("8:acs:1", ["chat"]).token == "a"


def test_a_call_leaves_nothing_to_the_garbage_collector(
    make_client: ClientFactory, service: ScriptedService
) -> None:
    client = make_client(service.endpoint, KEY)
    calls, rounds = 20, 3
    for _ in range((rounds + 1) * calls):
        service.will_answer(200, TOKEN_2099)

    def left_by_calls() -> int:
        gc.collect()
        for _ in range(calls):
            client.get_token("8:acs:1", ["chat"])
        return gc.collect()

    gc.disable()
    try:
        left_by_calls()
        found = min(left_by_calls() for _ in range(rounds))  # other threads leave some, too
    finally:
        gc.enable()
    assert found < calls  # those of the event loop and the server
