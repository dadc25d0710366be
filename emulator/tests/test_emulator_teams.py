"""The exchange of a Teams user's Entra token, in the order the service checks it."""

import json
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]

APP, USER = str(uuid.UUID(int=11)), str(uuid.UUID(int=12))
NO_TOKEN = (400, "ValidationError", "The body is either missing or doesn't contain any token.")
INVALID_TOKEN = (401, "InvalidAccessToken", "Provided access token is not valid.")
APP_REQUIRED = (400, "ValidationError", "AppId: The AppId field is required.", "AppId")
USER_REQUIRED = (400, "ValidationError", "UserId: The UserId field is required.", "UserId")


@pytest.fixture
def token(emulator: IdentityEmulator) -> str:
    return emulator.issue_entra_token(user_object_id=USER, client_id=APP)


def exchange(send: Send, body: object, version: str = "2025-06-30") -> SimpleNamespace:
    return send("POST", "/teamsUser/:exchangeAccessToken", body, version=version)


def outcome(reply: SimpleNamespace) -> tuple[object, ...]:
    return (reply.status, *reply.error.values())


def test_ok(emulator: IdentityEmulator, send: Send, token: str) -> None:
    reply = exchange(send, {"token": token, "appId": APP, "userId": USER.upper()})
    assert reply.status == 200
    assert list(reply.json) == ["token", "expiresOn"]
    assert emulator.is_token_valid(reply.json["token"])
    expiry = jwt.decode(token, options={"verify_signature": False})["exp"]
    assert datetime.fromisoformat(reply.json["expiresOn"]).timestamp() == expiry
    assert jwt.decode(reply.json["token"], options={"verify_signature": False})["exp"] == expiry


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", NO_TOKEN),
        (b"{", NO_TOKEN),
        (b"[]", NO_TOKEN),
        ({}, NO_TOKEN),
        ({"token": None, "appId": APP, "userId": USER}, NO_TOKEN),
        ({"token": 5, "appId": APP, "userId": USER}, NO_TOKEN),
        ({"token": "", "appId": APP, "userId": ""}, INVALID_TOKEN),
        ({"token": "sanitized", "appId": "", "userId": ""}, INVALID_TOKEN),
        ({"token": "💥.é.x", "appId": APP, "userId": USER}, INVALID_TOKEN),
        ({"token": "\ud800.é.x", "appId": APP, "userId": USER}, NO_TOKEN),
    ],
)
def test_token_comes_first(send: Send, body: object, expected: tuple[object, ...]) -> None:
    reply = exchange(send, body)
    assert outcome(reply) == expected
    assert "api-supported-versions" not in reply.headers


@pytest.mark.parametrize(
    ("app", "user", "expected"),
    [
        (None, USER, APP_REQUIRED),
        ("", "", APP_REQUIRED),
        (APP, None, USER_REQUIRED),
        (APP, "", USER_REQUIRED),
        (
            7,
            USER,
            (400, "ValidationError", "AppId: The AppId field must be a string.", "AppId"),
        ),
    ],
)
def test_required_fields(
    send: Send, token: str, app: object, user: object, expected: tuple[object, ...]
) -> None:
    reply = exchange(send, {"token": token, "appId": app, "userId": user})
    assert outcome(reply) == expected
    assert "api-supported-versions" not in reply.headers


@pytest.mark.parametrize(
    ("app", "user", "message", "target"),
    [
        ("app", USER, "Provided AppId has invalid format.", "appId"),
        (APP, "user", "Provided UserId has invalid format.", "userId"),
        (USER, USER, "AAD application is not the expected one.", "appId"),
        (APP, APP, "Provided AAD token issued for unexpected user.", "userId"),
    ],
)
def test_format_and_match(
    send: Send, token: str, app: str, user: str, message: str, target: str
) -> None:
    reply = exchange(send, {"token": token, "appId": app, "userId": user})
    assert outcome(reply) == (400, "ValidationError", message, target)
    assert "api-supported-versions" in reply.headers


def test_the_first_preview_takes_the_token_alone(send: Send, token: str) -> None:
    assert exchange(send, {"token": token}, version="2021-10-31-preview").status == 200
    reply = exchange(send, {"token": "x"}, version="2021-10-31-preview")
    assert outcome(reply) == INVALID_TOKEN


def test_expired(emulator: IdentityEmulator, send: Send) -> None:
    token = emulator.issue_entra_token(
        user_object_id=USER, client_id=APP, expires_in=timedelta(seconds=-1)
    )
    reply = exchange(send, {"token": token, "appId": APP, "userId": USER})
    assert outcome(reply) == INVALID_TOKEN


def test_of_another_audience(emulator: IdentityEmulator, send: Send) -> None:
    token = emulator.issue_entra_token(
        user_object_id=USER, client_id=APP, scopes=["https://graph.microsoft.com/.default"]
    )
    reply = exchange(send, {"token": token, "appId": APP, "userId": USER})
    assert outcome(reply) == INVALID_TOKEN


def test_not_signed_by_entra(send: Send, token: str) -> None:
    claims = jwt.decode(token, options={"verify_signature": False})
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for forged in (
        jwt.encode(claims, key, algorithm="RS256"),
        jwt.encode(claims, "", algorithm="none"),
        tampered(token),
    ):
        reply = exchange(send, {"token": forged, "appId": APP, "userId": USER})
        assert outcome(reply) == INVALID_TOKEN


def tampered(token: str) -> str:
    header, payload, signature = token.split(".")
    claims = json.loads(urlsafe_b64decode(payload + "=="))
    claims["exp"] += 1
    changed = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return ".".join([header, changed, signature])


def test_an_access_token_is_no_entra_token(send: Send) -> None:
    body = {"createTokenWithScopes": ["chat"]}
    token = send("POST", "/identities", body).json["accessToken"]["token"]
    reply = exchange(send, {"token": token, "appId": APP, "userId": USER})
    assert outcome(reply) == INVALID_TOKEN


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_object_id": "alice"},
        {"client_id": ""},
        {"scopes": []},
        {"scopes": ["chat"]},
        {"scopes": ["https://a.example/b", "https://c.example/b"]},
    ],
)
def test_issue_entra_token_refuses(emulator: IdentityEmulator, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        emulator.issue_entra_token(**{"user_object_id": USER, "client_id": APP, **wrong})
