"""Access of Teams users and resource accounts to a resource."""

import copy
import pickle
import uuid
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from azure.core.exceptions import DecodeError, HttpResponseError, ResourceNotFoundError
from either_client import ClientFactory, EitherClient
from scripted_service import ScriptedService

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import (
    ApiVersion,
    TeamsExtensionAssignment,
    TeamsExtensionPrincipalType,
)

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENTS = ("aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000002")
USER = TeamsExtensionPrincipalType.USER
RESOURCE_ACCOUNT = TeamsExtensionPrincipalType.RESOURCE_ACCOUNT


@pytest.fixture
def object_id() -> str:
    return str(uuid.uuid4())


@pytest.mark.parametrize(
    "version", ["2025-03-02-preview", ApiVersion.V2025_06_30, ApiVersion.V2026_09_23]
)
def test_an_assignment_is_made_read_replaced_and_deleted(
    make_client: ClientFactory, emulator: IdentityEmulator, object_id: str, version: Any
) -> None:
    client = make_client.from_connection_string(emulator.connection_string, api_version=version)
    made = client.upsert_teams_extension_assignment(TENANT, object_id, USER, client_ids=CLIENTS)
    assert made == TeamsExtensionAssignment(
        tenant_id=TENANT, object_id=object_id, principal_type=USER, client_ids=CLIENTS
    )
    assert client.get_teams_extension_assignment(TENANT, object_id) == made

    replaced = client.upsert_teams_extension_assignment(TENANT, object_id, "resourceAccount")
    assert replaced == TeamsExtensionAssignment(
        tenant_id=TENANT, object_id=object_id, principal_type=RESOURCE_ACCOUNT
    )
    assert client.get_teams_extension_assignment(TENANT, object_id) == replaced

    assert client.delete_teams_extension_assignment(TENANT, object_id) is None
    with pytest.raises(ResourceNotFoundError):
        client.get_teams_extension_assignment(TENANT, object_id)


def test_an_assignment_is_of_one_tenant_and_one_object(
    client: EitherClient, object_id: str
) -> None:
    client.upsert_teams_extension_assignment(TENANT, object_id, USER)
    for tenant_id, other_id in ((object_id, TENANT), (TENANT, TENANT), (object_id, object_id)):
        with pytest.raises(ResourceNotFoundError):
            client.get_teams_extension_assignment(tenant_id, other_id)


@pytest.mark.parametrize(
    ("arguments", "options", "target"),
    [
        (("no guid", TENANT, "user"), {}, "tenantId"),
        ((TENANT, "a/../b ?%#", "user"), {}, "objectId"),
        ((TENANT, TENANT, "cat"), {}, "principalType"),
        ((TENANT, TENANT, ""), {}, "PrincipalType"),
        ((TENANT, TENANT, "user"), {"client_ids": ["no guid"]}, "clientIds"),
    ],
)
def test_the_form_of_ids_and_types_is_for_the_service_to_judge(
    client: EitherClient, arguments: tuple[str, ...], options: dict[str, Any], target: str
) -> None:
    with pytest.raises(HttpResponseError) as raised:
        client.upsert_teams_extension_assignment(*arguments, **options)
    assert raised.value.status_code == 400
    assert raised.value.error is not None
    assert (raised.value.error.code, raised.value.error.target) == ("ValidationError", target)


def test_the_requests_are_those_of_the_service(
    make_client: ClientFactory, service: ScriptedService
) -> None:
    answer = {"objectId": "o", "tenantId": "t", "principalType": "user"}
    service.will_answer(200, answer).will_answer(201, answer).will_answer(200, answer)
    service.will_answer(204)
    client = make_client(service.endpoint)

    client.get_teams_extension_assignment("t/1", "o 2")
    client.upsert_teams_extension_assignment("t", "o", USER)
    client.upsert_teams_extension_assignment("t", "o", RESOURCE_ACCOUNT, client_ids=())
    client.delete_teams_extension_assignment("t", "o")

    path = "/access/teamsExtension/tenants"
    version = "?api-version=2025-06-30"
    assert [(request.method, request.target, request.body) for request in service.requests] == [
        ("GET", f"{path}/t%2F1/assignments/o%202{version}", b""),
        ("PUT", f"{path}/t/assignments/o{version}", b'{"principalType": "user"}'),
        (
            "PUT",
            f"{path}/t/assignments/o{version}",
            b'{"principalType": "resourceAccount", "clientIds": []}',
        ),
        ("DELETE", f"{path}/t/assignments/o{version}", b""),
    ]


def test_a_type_that_the_service_has_added_is_a_plain_str(
    scripted_client: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(
        200, {"objectId": "o", "tenantId": "t", "principalType": "team", "clientIds": None}
    )
    assignment = scripted_client.get_teams_extension_assignment("t", "o")
    assert assignment == TeamsExtensionAssignment(
        tenant_id="t", object_id="o", principal_type="team"
    )
    assert type(assignment.principal_type) is str


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"objectId": None}, "has no objectId"),
        ({"tenantId": 7}, "has no tenantId"),
        ({"principalType": None}, "has no principalType"),
        ({"clientIds": "c"}, "clientIds .* is not a list of str"),
        ({"clientIds": [7]}, "clientIds .* is not a list of str"),
    ],
)
def test_what_is_no_assignment_is_an_error_that_says_so(
    scripted_client: EitherClient, service: ScriptedService, change: Any, words: str
) -> None:
    whole = {"objectId": "o", "tenantId": "t", "principalType": "user"}
    service.will_answer(200, {**whole, **change})
    with pytest.raises(DecodeError, match=words):
        scripted_client.get_teams_extension_assignment("t", "o")


def test_an_assignment_is_a_value() -> None:
    assignment = TeamsExtensionAssignment(
        tenant_id="t", object_id="o", principal_type=USER, client_ids=("c",)
    )
    other = TeamsExtensionAssignment(tenant_id="t", object_id="o", principal_type=USER)

    assert assignment != other
    assert len({assignment, copy.deepcopy(assignment), pickle.loads(pickle.dumps(assignment))}) == 1
    assert repr(assignment) == (
        "TeamsExtensionAssignment(tenant_id='t', object_id='o', "
        "principal_type=<TeamsExtensionPrincipalType.USER: 'user'>, client_ids=('c',))"
    )
    with pytest.raises(FrozenInstanceError):
        assignment.object_id = "p"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
