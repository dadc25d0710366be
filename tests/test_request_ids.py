"""The ids of requests: random, unless the caller has others."""

import os
from typing import Any
from uuid import UUID

import pytest
from either_client import ClientFactory
from scripted_service import ScriptedService

from azure.communication.identity._pipeline.request_ids import RandomRequestIdPolicy

HEADER = "x-ms-client-request-id"
CREATED = {"identity": {"id": "8:acs:1"}}


def sent_id(service: ScriptedService) -> Any:
    return service.requests[-1].headers[HEADER]


def test_they_are_random(make_client: ClientFactory, service: ScriptedService) -> None:
    client = make_client(service.will_answer(201, CREATED).endpoint)
    client.create_user()
    first = sent_id(service)
    client.create_user()
    assert UUID(first).version == UUID(sent_id(service)).version == 4
    assert first != sent_id(service)


@pytest.mark.parametrize("sixteenth", range(16))
def test_they_have_all_bits_of_the_random_bytes(
    make_client: ClientFactory,
    service: ScriptedService,
    monkeypatch: pytest.MonkeyPatch,
    sixteenth: int,
) -> None:
    random = bytes.fromhex(f"0123456789abcdef{sixteenth:x}edcba9876543210")
    client = make_client(service.will_answer(201, CREATED).endpoint)
    monkeypatch.setattr(os, "urandom", lambda length: random[:length])
    client.create_user()
    assert sent_id(service) == str(UUID(bytes=random, version=4))


@pytest.mark.parametrize(
    ("options", "call", "expected"),
    [
        ({"request_id": "of-client"}, {}, "of-client"),
        ({}, {"request_id": "of-call"}, "of-call"),
        ({"request_id": "of-client"}, {"request_id": "of-call"}, "of-call"),
        ({}, {"request_id": None}, None),
        ({"auto_request_id": False}, {}, None),
        ({}, {"headers": {HEADER: "of-headers"}}, "of-headers"),
    ],
)
def test_the_caller_may_have_others(
    make_client: ClientFactory,
    service: ScriptedService,
    options: dict[str, Any],
    call: dict[str, Any],
    expected: str | None,
) -> None:
    make_client(service.will_answer(201, CREATED).endpoint, **options).create_user(**call)
    assert sent_id(service) == expected


def test_the_policy_takes_an_id_later_as_its_base_class_does(
    make_client: ClientFactory, service: ScriptedService
) -> None:
    policy = RandomRequestIdPolicy()
    client = make_client(service.will_answer(201, CREATED).endpoint, request_id_policy=policy)
    policy.set_request_id("set-later")
    client.create_user()
    assert sent_id(service) == "set-later"
