"""The ids of requests: random, unless the caller has others."""

from typing import Any
from uuid import UUID

import pytest
from either_client import ClientFactory
from scripted_service import ScriptedService

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
