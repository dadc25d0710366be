"""schemathesis drives the emulator with the description of the REST API, as each version has it."""

import copy
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
from requests.auth import AuthBase
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import content_type_conformance

from acs_identity_emulator import IdentityEmulator

from ..conftest import sign

Send = Callable[..., SimpleNamespace]

DESCRIPTION = Path(__file__).resolve().parents[3] / "swagger" / "communication_identity.json"
DESCRIBED: dict[str, Any] = json.loads(DESCRIPTION.read_text())
VERSIONS: list[str] = DESCRIBED["info"]["x-acs-api-versions"]
EXAMPLES = {"positive": 20, "negative": 24}  # of each operation in each version
PREVIEW = "2025-03-02-preview"
LEAST_CASES = 2000
USER, APPLICATION = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
PATCHED = [str(uuid.UUID(int=number)) for number in range(3, 7)]


def as_of(version: str) -> dict[str, Any]:
    """The description without what a version does not know, and without what is for generators.

    Values that only the service can judge are given the form that it wants.
    """
    description: dict[str, Any] = without_newer(copy.deepcopy(DESCRIBED), version)
    del description["x-ms-parameterized-host"]
    parameters = description["parameters"]
    del parameters["EndpointParameter"]
    parameters["ApiVersionParameter"]["enum"] = [version]
    parameters["IdParameter"]["format"] = "raw-id"
    parameters["TenantIdParameter"]["format"] = "uuid"
    parameters["ObjectIdParameter"]["format"] = "uuid"
    definitions = description["definitions"]
    for name in ("TeamsExtensionAssignmentRequest", "EntraAssignmentUpdate"):
        definitions[name]["properties"]["clientIds"]["items"]["format"] = "uuid"
    definitions["EntraAssignmentUpdate"]["properties"]["tenantId"]["format"] = "uuid"
    patch = description["paths"]["/access/entra/assignments"].get("patch")
    if patch is not None:
        body = next(parameter for parameter in patch["parameters"] if "schema" in parameter)
        change = body["schema"].pop("additionalProperties")
        body["schema"]["properties"] = dict.fromkeys(PATCHED, change)
        body["schema"]["additionalProperties"] = False
    # A request whose whole body is null counts as a request without a body.
    for name in ("CommunicationIdentityCreateRequest", "TokenExchangeRequest"):
        definitions[name]["x-nullable"] = True
    for operations in description["paths"].values():
        for operation in operations.values():
            operation["parameters"].remove({"$ref": "#/parameters/EndpointParameter"})
    return description


def without_newer(node: Any, version: str) -> Any:
    if isinstance(node, list):
        return [without_newer(item, version) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        name: without_newer(value, version)
        for name, value in node.items()
        if not isinstance(value, dict) or version in value.get("x-acs-api-versions", VERSIONS)
    }
    values = kept.get("x-ms-enum", {}).get("values")
    if values is not None:
        known = [
            value["value"]
            for value in values
            if version in value.get("x-acs-api-versions", VERSIONS)
        ]
        kept["enum"] = known
    return kept


class Credentials(AuthBase):
    """Signs a request that is ready to be sent, or gives it the Entra token that it needs."""

    emulator: IdentityEmulator
    bearer: dict[str, str]

    def use(self, emulator: IdentityEmulator) -> None:
        self.emulator = emulator
        scopes = {
            "/access/teamsExtension/:exchangeAccessToken": "https://auth.msft.communication.azure.com/x",
            "/access/entra/:exchangeAccessToken": "https://communication.azure.com/clients/x",
        }
        self.bearer = {
            path: emulator.issue_entra_token(
                user_object_id=USER,
                client_id=APPLICATION,
                scopes=[scope],
                expires_in=timedelta(hours=2),
            )
            for path, scope in scopes.items()
        }

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        assert request.url is not None
        assert request.method is not None
        url = urlsplit(request.url)
        bearer = self.bearer.get(url.path.replace("%3A", ":"))
        if bearer is not None:
            request.headers["Authorization"] = f"Bearer {bearer}"
            return request
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else body
        assert isinstance(content, bytes)
        target = f"{url.path}?{url.query}" if url.query else url.path
        date = formatdate(usegmt=True)
        key = self.emulator.access_key
        request.headers.update(
            sign(key, request.method, target, content, url.netloc, date, "x-ms-date")
        )
        return request


CREDENTIALS = Credentials()
IDENTITIES: list[str] = []
CASES: Counter[str] = Counter()
schemathesis.openapi.format(
    "raw-id", strategies.integers(0, 3).map(lambda index: IDENTITIES[index])
)


def operations() -> Iterator[Any]:
    for version in VERSIONS:
        schema = schemathesis.openapi.from_dict(as_of(version))
        schema.auth.set_from_requests(CREDENTIALS)
        for result in schema.get_all_operations():
            assert isinstance(result, Ok)
            operation = result.ok()
            yield pytest.param(operation, id=f"{version} {operation.label}")


@pytest.fixture(scope="module")
def session(tls_emulator: IdentityEmulator, send: Send) -> Iterator[requests.Session]:
    CREDENTIALS.use(tls_emulator)
    tenant = tls_emulator.tenant_id
    body = {"principalType": "user", "clientIds": [APPLICATION], "tenantId": tenant}
    for path in (
        f"/access/teamsExtension/tenants/{tenant}/assignments/{USER}",
        f"/access/entra/assignments/{USER}",
    ):
        assert send("PUT", path, body, to=tls_emulator, version=PREVIEW).status == 201
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.parametrize("operation", list(operations()))
def test_operation(
    tls_emulator: IdentityEmulator,
    send: Send,
    session: requests.Session,
    operation: "APIOperation[Any, Any, Any, Any]",
) -> None:
    IDENTITIES[:] = [
        send("POST", "/identities", to=tls_emulator).json["identity"]["id"] for _ in range(4)
    ]
    for mode, examples in EXAMPLES.items():
        drive(operation, mode, examples, tls_emulator, session)


def drive(
    operation: "APIOperation[Any, Any, Any, Any]",
    mode: str,
    examples: int,
    emulator: IdentityEmulator,
    session: requests.Session,
) -> None:
    @given(operation.as_strategy(GenerationMode(mode), auth_storage=operation.schema.auth))
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    def call(case: "Case[Any]") -> None:
        CASES[mode] += 1
        call_and_validate(case, emulator, session)

    call()


def call_and_validate(
    case: "Case[Any]", emulator: IdentityEmulator, session: requests.Session
) -> None:
    transport: dict[str, Any] = {
        "base_url": emulator.endpoint,
        "session": session,
        "verify": emulator.ca_bundle,
    }
    response = case.call(**transport)
    # OpenAPI 2.0 has one list of media types for all responses of an operation, those without a
    # body included.
    excluded = [content_type_conformance] if response.status_code == 204 else []
    case.validate_response(response, excluded_checks=excluded, transport_kwargs=transport)
    assert response.status_code < 500


def test_cases_were_enough(request: pytest.FixtureRequest, report: list[str]) -> None:
    """Comes last: it counts what the tests above have sent, if all of them were run."""
    described = len(list(operations()))
    driven = [item for item in request.session.items if item.name.startswith("test_operation[")]
    counts = ", ".join(f"{count} {mode}" for mode, count in CASES.items())
    report.append(f"contract: {CASES.total()} cases ({counts})")
    if len(driven) == described:
        assert CASES.total() >= LEAST_CASES
