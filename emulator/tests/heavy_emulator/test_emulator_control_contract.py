"""schemathesis drives the endpoints under `/.emulator/` with the document that describes them."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from acs_identity_emulator import IdentityEmulator

# What a schema cannot express: which operations can have a fault, and that the scopes of a token
# are of one audience.
MORE_THAN_DESCRIBED = ("POST /.emulator/faults", "POST /.emulator/entra/tokens")
MODES = (GenerationMode("positive"), GenerationMode("negative"))
LEAST_ENDPOINTS = 19


@pytest.fixture(scope="module")
def controlled() -> Iterator[IdentityEmulator]:
    with IdentityEmulator(throttle=True) as emulator:
        yield emulator


def test_every_endpoint_is_as_described(controlled: IdentityEmulator) -> None:
    with urlopen(f"{controlled.endpoint}.emulator/openapi.json") as response:
        document = json.load(response)
    schema = schemathesis.openapi.from_dict(document)
    driven = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        statuses = {status for mode in MODES for status in drive(operation, mode, controlled)}
        assert {200, 204} & statuses, f"{operation.label} never succeeds: {statuses}"
        driven += 1
    assert driven >= LEAST_ENDPOINTS


def drive(operation: Any, mode: GenerationMode, emulator: IdentityEmulator) -> set[int]:
    """The statuses of the responses."""
    statuses = set()
    excluded: list[Any] = (
        [positive_data_acceptance] if operation.label in MORE_THAN_DESCRIBED else []
    )

    @given(operation.as_strategy(mode))
    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    def call(case: "Case[Any]") -> None:
        emulator.reset()  # the clock can be advanced by ten years in all
        response = case.call(base_url=emulator.endpoint)
        statuses.add(response.status_code)
        assert response.status_code < 500
        case.validate_response(response, excluded_checks=excluded)

    try:
        call()
    except Exception as error:
        if "Unsatisfiable" not in type(error).__name__:  # nothing can be wrong with a request
            raise
    return statuses
