"""The models make their own JSON, and read it, with msrest."""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from msrest.exceptions import ValidationError

from azure.communication.identity._generated import models
from azure.communication.identity._generated.models import (
    CommunicationErrorResponse,
    CommunicationIdentity,
    CommunicationIdentityAccessToken,
    CommunicationIdentityAccessTokenRequest,
    CommunicationIdentityAccessTokenResult,
    CommunicationIdentityCreateRequest,
    CommunicationTokenScope,
    TeamsExtensionAssignment,
    TeamsExtensionAssignmentRequest,
    TeamsExtensionPrincipalType,
    TeamsUserExchangeTokenRequest,
    TokenExchangeRequest,
)

ROOT = Path(__file__).resolve().parent.parent
DEFINITIONS = json.loads(
    (ROOT / "swagger" / "communication_identity.json").read_text(encoding="utf-8")
)["definitions"]

SERIALIZED: dict[str, tuple[Any, dict[str, Any]]] = {
    "create, empty": (CommunicationIdentityCreateRequest(), {}),
    "create": (
        CommunicationIdentityCreateRequest(
            create_token_with_scopes=[CommunicationTokenScope.CHAT, "sms"],
            expires_in_minutes=60,
            custom_id="mine",
        ),
        {
            "createTokenWithScopes": ["chat", "sms"],
            "expiresInMinutes": 60,
            "customId": "mine",
        },
    ),
    "issue": (
        CommunicationIdentityAccessTokenRequest(scopes=[CommunicationTokenScope.VOIP_JOIN]),
        {"scopes": ["voip.join"]},
    ),
    "Teams user": (
        TeamsUserExchangeTokenRequest(token="token", app_id="app", user_id="user"),
        {"token": "token", "appId": "app", "userId": "user"},
    ),
    "exchange": (TokenExchangeRequest(), {}),
    "assignment request": (
        TeamsExtensionAssignmentRequest(
            principal_type=TeamsExtensionPrincipalType.RESOURCE_ACCOUNT, client_ids=["a", "b"]
        ),
        {"principalType": "resourceAccount", "clientIds": ["a", "b"]},
    ),
    "assignment": (
        TeamsExtensionAssignment(object_id="o", tenant_id="t", principal_type="user"),
        {"objectId": "o", "tenantId": "t", "principalType": "user"},
    ),
    "identity and token": (
        CommunicationIdentityAccessTokenResult(
            identity=CommunicationIdentity(
                id="8:acs:1",
                last_token_issued_at=datetime(2025, 4, 14, 15, 32, 27, tzinfo=timezone.utc),
            ),
            access_token=CommunicationIdentityAccessToken(
                token="token", expires_on=datetime(2026, 11, 24, 9, 5, tzinfo=timezone.utc)
            ),
        ),
        {
            "identity": {"id": "8:acs:1", "lastTokenIssuedAt": "2025-04-14T15:32:27.000Z"},
            "accessToken": {"token": "token", "expiresOn": "2026-11-24T09:05:00.000Z"},
        },
    ),
}


@pytest.mark.parametrize(("model", "expected"), SERIALIZED.values(), ids=SERIALIZED)
def test_a_model_serializes_and_deserializes_itself(model: Any, expected: dict[str, Any]) -> None:
    assert model.serialize() == expected
    assert json.loads(json.dumps(model.serialize())) == expected
    assert type(model).deserialize(expected) == model


def test_times_of_the_service_are_read() -> None:
    token = CommunicationIdentityAccessToken.deserialize(
        {"token": "t", "expiresOn": "2024-03-01T12:30:05.123456+00:00"}
    )
    expected = datetime(2024, 3, 1, 12, 30, 5, 123456, tzinfo=timezone.utc)
    assert token.expires_on == expected


def test_an_error_is_read_to_its_depths() -> None:
    found = CommunicationErrorResponse.deserialize(
        {
            "error": {
                "code": "ValidationError",
                "message": "Wrong.",
                "target": "scopes",
                "details": [{"code": "A", "message": "a"}],
                "innererror": {"code": "B", "message": "b", "innererror": {"code": "C"}},
            }
        }
    ).error
    assert (found.code, found.message, found.target) == ("ValidationError", "Wrong.", "scopes")
    assert found.details is not None
    assert [detail.code for detail in found.details] == ["A"]
    assert found.inner_error is not None
    assert found.inner_error.inner_error is not None
    assert found.inner_error.inner_error.code == "C"


def test_what_the_service_sets_is_not_sent_back() -> None:
    error = models.CommunicationError(code="A", message="a")
    error.target = "scopes"
    assert error.serialize() == {"code": "A", "message": "a"}
    assert error.serialize(keep_readonly=True)["target"] == "scopes"


def test_fields_that_are_not_known_are_passed_over() -> None:
    found = CommunicationIdentity.deserialize({"id": "8:acs:1", "new": 1, "customId": None})
    assert (found.id, found.custom_id) == ("8:acs:1", None)


@pytest.mark.parametrize(
    ("model", "broken"),
    [
        (CommunicationIdentityCreateRequest(expires_in_minutes=59), "expires_in_minutes"),
        (CommunicationIdentityCreateRequest(expires_in_minutes=1441), "expires_in_minutes"),
        (CommunicationIdentityCreateRequest(custom_id=""), "custom_id"),
        (CommunicationIdentityCreateRequest(custom_id="a" * 257), "custom_id"),
        (CommunicationIdentityAccessTokenRequest(scopes=[]), "scopes"),
        (CommunicationIdentityAccessTokenRequest(scopes=None), "scopes"),  # type: ignore[arg-type]
    ],
)
def test_a_model_knows_the_limits_of_the_description(model: Any, broken: str) -> None:
    (found,) = model.validate()
    assert isinstance(found, ValidationError)
    assert found.target == f"{type(model).__name__}.{broken}"


@pytest.mark.parametrize("name", [n for n, d in DEFINITIONS.items() if d["type"] == "object"])
def test_a_model_has_the_properties_of_its_definition(name: str) -> None:
    model = getattr(models, name)
    described = DEFINITIONS[name].get("properties", {})
    assert {entry["key"] for entry in model._attribute_map.values()} == set(described)
    required = {
        model._attribute_map[attribute]["key"]
        for attribute, rules in model._validation.items()
        if rules.get("required")
    }
    assert required == set(DEFINITIONS[name].get("required", []))


@pytest.mark.parametrize("name", [n for n, d in DEFINITIONS.items() if "enum" in d])
def test_an_enum_lists_what_the_description_lists(name: str) -> None:
    assert [member.value for member in getattr(models, name)] == DEFINITIONS[name]["enum"]
