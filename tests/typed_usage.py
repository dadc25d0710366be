"""Usages of the clients for type checkers. Never run: test_typed_usage.py checks it.

Each marked line is wrong: each checker reports it, for the reason in the mark. All other lines are
correct.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from azure.core.async_paging import AsyncItemPaged
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.paging import ItemPaged
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse
from typing_extensions import assert_type

from azure.communication.identity import (
    ApiVersion,
    CommunicationIdentifier,
    CommunicationIdentifierKind,
    CommunicationIdentityClient,
    CommunicationTokenScope,
    CommunicationUserDetail,
    CommunicationUserIdentifier,
    EntraAssignment,
    EntraAssignmentUpdate,
    EntraPrincipalType,
    PhoneNumberIdentifier,
    TeamsExtensionAssignment,
    TeamsExtensionPrincipalType,
    TeamsExtensionUserIdentifier,
    UnknownIdentifier,
    identifier_from_raw_id,
)
from azure.communication.identity import aio as asynchronous

ENDPOINT = "https://my-resource.communication.azure.com"
CHAT = CommunicationTokenScope.CHAT
HOUR = timedelta(hours=1)


def clients(key: AzureKeyCredential) -> None:
    with CommunicationIdentityClient(ENDPOINT, key, api_version="2025-03-02-preview") as client:
        assert_type(client, CommunicationIdentityClient)
    assert_type(
        CommunicationIdentityClient.from_connection_string("x", api_version=ApiVersion.V2025_06_30),
        CommunicationIdentityClient,
    )
    CommunicationIdentityClient(ENDPOINT, "key", retry_total=3, logging_enable=True)
    CommunicationIdentityClient(ENDPOINT, "key", retry_totle=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CommunicationIdentityClient(ENDPOINT, "key", retry_total="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CommunicationIdentityClient(ENDPOINT, "key", "2025-06-30")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CommunicationIdentityClient(ENDPOINT, b"key")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CommunicationIdentityClient(ENDPOINT, "key", api_version=20250630)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CommunicationIdentityClient(ENDPOINT)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def custom_ids(client: CommunicationIdentityClient) -> None:
    assert_type(client.create_user(), CommunicationUserIdentifier)
    assert_type(client.create_user(custom_id="mine"), CommunicationUserIdentifier)
    client.create_user(custom_id=None, api_version=ApiVersion.V2025_03_02_PREVIEW, retry_total=0)
    client.create_user("mine")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.create_user(custom_id=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_user(costum_id="mine")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.create_user(token_expires_in=HOUR)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

    user, token = client.create_user_and_token(
        [CHAT, "voip"], custom_id="mine", token_expires_in=HOUR
    )
    assert_type(user, CommunicationUserIdentifier)
    assert_type(token, AccessToken)
    assert_type(token.expires_on, int)
    client.create_user_and_token((CHAT,), custom_id=None, token_expires_in=None)
    client.create_user_and_token(CHAT.value, custom_id="mine")  # a str is a Sequence[str]
    client.create_user_and_token(custom_id="mine")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.create_user_and_token(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_user_and_token({CHAT})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_user_and_token([7])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    client.create_user_and_token([CHAT], "mine")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.create_user_and_token([CHAT], custom_id=b"mine")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_user_and_token([CHAT], token_expires_in=60)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_user_and_token([CHAT], token_expire_in=HOUR)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def user_details(client: CommunicationIdentityClient, user: CommunicationUserIdentifier) -> None:
    detail = client.get_user_detail(user, api_version="2025-03-02-preview")
    assert_type(detail, CommunicationUserDetail)
    assert_type(client.get_user_detail(user.raw_id), CommunicationUserDetail)
    assert_type(detail.user, CommunicationUserIdentifier)
    assert_type(detail.custom_id, str | None)
    assert_type(detail.last_token_issued_at, datetime | None)
    client.get_user_detail()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.get_user_detail(PhoneNumberIdentifier("+15550100"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.get_user_detail(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.get_user_detail(user, custom_id="mine")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    detail.custom_id = "yours"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    detail.last_token_issued_at.isoformat()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    CommunicationUserDetail(user)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def assignments(client: CommunicationIdentityClient) -> None:
    assignment = client.upsert_teams_extension_assignment(
        "tenant", "object", TeamsExtensionPrincipalType.USER, client_ids=["client"]
    )
    assert_type(assignment, TeamsExtensionAssignment)
    assert_type(assignment.tenant_id, str)
    assert_type(assignment.object_id, str)
    assert_type(assignment.principal_type, TeamsExtensionPrincipalType | str)
    assert_type(assignment.client_ids, tuple[str, ...])
    client.upsert_teams_extension_assignment("tenant", "object", "resourceAccount", client_ids=None)
    assert_type(client.get_teams_extension_assignment("tenant", "object"), TeamsExtensionAssignment)
    assert_type(client.delete_teams_extension_assignment("tenant", "object"), None)
    client.get_teams_extension_assignment("tenant")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.get_teams_extension_assignment("tenant", None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.upsert_teams_extension_assignment("tenant", "object")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.upsert_teams_extension_assignment("t", "o", None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.upsert_teams_extension_assignment("t", "o", "user", ["c"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.upsert_teams_extension_assignment("t", "o", "user", client_ids=[7])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    client.upsert_teams_extension_assignment("t", "o", "user", client_ids={"c"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.upsert_teams_extension_assignment("t", "o", "user", client_id=["c"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.delete_teams_extension_assignment(object_id="object")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assignment.client_ids.append("client")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    assignment.object_id = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def entra_assignments(client: CommunicationIdentityClient) -> None:
    assert_type(client.list_entra_assignments(), ItemPaged[EntraAssignment])
    for assignment in client.list_entra_assignments(api_version=ApiVersion.V2025_03_02_PREVIEW):
        assert_type(assignment.principal_type, EntraPrincipalType | str)
        assert_type(assignment.client_ids, tuple[str, ...])
    assert_type(client.get_entra_assignment("object"), EntraAssignment)
    assert_type(
        client.upsert_entra_assignment("object", "tenant", EntraPrincipalType.GROUP, ["client"]),
        EntraAssignment,
    )
    assert_type(client.delete_entra_assignment("object"), None)
    update = EntraAssignmentUpdate(tenant_id="t", principal_type="user", client_ids=["c"])
    assert_type(
        client.update_entra_assignments({"a": update, "b": None}), ItemPaged[EntraAssignment]
    )
    client.upsert_entra_assignment("object", "tenant", "user")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.update_entra_assignments([update])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.update_entra_assignments({"a": {}})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    EntraAssignmentUpdate("t", "user", [])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def requests(client: CommunicationIdentityClient, request: HttpRequest) -> None:
    assert_type(client.send_request(request, stream=True, retry_total=0), HttpResponse)
    client.send_request("/identities")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.send_request(request, api_version="2025-06-30")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def identifiers(user: TeamsExtensionUserIdentifier, phone: PhoneNumberIdentifier) -> None:
    assert_type(user.properties["tenant_id"], str)
    assert_type(user.properties["resource_id"], str)
    assert_type(phone.properties.get("is_anonymous"), bool | None)
    assert_type(phone.properties.get("asserted_id"), str | None)
    TeamsExtensionUserIdentifier(user_id="u", tenant_id="t", resource_id="r", cloud="DOD")
    TeamsExtensionUserIdentifier(user_id="u", tenant_id="t")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TeamsExtensionUserIdentifier("u", user_id="u", tenant_id="t", resource_id="r")  # type: ignore[misc]  # pyright: ignore[reportCallIssue]
    match user:
        case TeamsExtensionUserIdentifier(user_id, tenant_id, resource_id):
            assert_type((user_id, tenant_id, resource_id), tuple[str, str, str])
    assert_type(sorted([phone]), list[PhoneNumberIdentifier])
    str(user.properties["tenant"])  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
    str(phone.properties["assertedId"])  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
    user.raw_id = "8:acs:x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


class OfAnotherPackage:
    """An identifier as those of other Azure packages, which are not sorted."""

    raw_id = "8:acs:x"
    kind = CommunicationIdentifierKind.COMMUNICATION_USER
    properties: Mapping[str, Any] = {}


def of_raw_ids(raw_ids: list[str], user: CommunicationUserIdentifier) -> None:
    found = [identifier_from_raw_id(raw_id) for raw_id in raw_ids]
    participants: list[CommunicationIdentifier] = [*found, user, UnknownIdentifier("x")]
    participants = [identifier_from_raw_id(raw_id) for raw_id in raw_ids]
    participants.append(OfAnotherPackage())
    assert [it.raw_id for it in sorted(found, key=attrgetter("raw_id"))]
    assert_type(sorted([user, user]), list[CommunicationUserIdentifier])
    sorted([user, PhoneNumberIdentifier("+1")])
    asdict(user)
    str(found[0].properties["id"])
    match found[0]:
        case CommunicationUserIdentifier(user_id):
            assert_type(user_id, str)
        case PhoneNumberIdentifier(value):
            assert_type(value, str)
    str(found[0] < "8:acs:x")  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]


async def the_async_client(client: asynchronous.CommunicationIdentityClient) -> None:
    user = await client.create_user(custom_id="mine")
    assert_type(user, CommunicationUserIdentifier)
    pair = await client.create_user_and_token([CHAT], custom_id="mine", token_expires_in=HOUR)
    assert_type(pair, tuple[CommunicationUserIdentifier, AccessToken])
    assert_type(await client.get_user_detail(user), CommunicationUserDetail)
    assert_type(
        await client.upsert_teams_extension_assignment("t", "o", "user", client_ids=("c",)),
        TeamsExtensionAssignment,
    )
    assert_type(await client.get_teams_extension_assignment("t", "o"), TeamsExtensionAssignment)
    await client.delete_teams_extension_assignment("t", "o")
    assert_type(client.list_entra_assignments(), AsyncItemPaged[EntraAssignment])
    assert_type(await client.update_entra_assignments({"a": None}), AsyncItemPaged[EntraAssignment])
    assert_type(await client.send_request(HttpRequest("GET", "/a")), AsyncHttpResponse)
    await client.create_user("mine")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.create_user(custom_id=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.create_user(costum_id="mine")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.create_user_and_token(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.get_user_detail(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.upsert_teams_extension_assignment("t", "o", None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.get_teams_extension_assignment("t", 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with client:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
    str(client.create_user().raw_id)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
