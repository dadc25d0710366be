"""The outcomes of the recordings as a table: each distinct one, in every version that has it.

`{user}` in a path stands for a new identity. A value of a body that differs from call to call is
written by its kind: ID, TOKEN, WHEN, SECOND.
"""

import re
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]

GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ID = re.compile(f"8:acs:{GUID}_{GUID}")
TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?\+00:00")
SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")

P2020, V2021, P2021, V2021B, V2022, V2022B, V2023, P2025, V2025, V2026 = VERSIONS = (
    "2020-07-20-preview2",
    "2021-03-07",
    "2021-10-31-preview",
    "2021-11-01",
    "2022-06-01",
    "2022-10-01",
    "2023-10-01",
    "2025-03-02-preview",
    "2025-06-30",
    "2026-09-23",
)
EXPIRY = VERSIONS[5:]
PREVIEW = (P2025,)
TEAMS = VERSIONS[4:]

CREATE, USER = "POST /identities", "/identities/{user}"
ISSUE, REVOKE = f"POST {USER}/:issueAccessToken", f"POST {USER}/:revokeAccessTokens"
GET, DELETE = f"GET {USER}", f"DELETE {USER}"
EXCHANGE = "POST /teamsUser/:exchangeAccessToken"

APP, TEAMS_USER, STRANGER = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
VALID = "a valid Entra token"  # the test puts one in its place
ALL = {"token": VALID, "appId": APP, "userId": TEAMS_USER}


class Row(NamedTuple):
    versions: tuple[str, ...]
    call: str
    sent: Any
    status: int
    body: Any
    reports_versions: bool = True


def error(code: str, message: str, target: str | None = None) -> dict[str, Any]:
    details = {"code": code, "message": message}
    return {"error": details if target is None else {**details, "target": target}}


def invalid(message: str, target: str | None = None) -> dict[str, Any]:
    return error("ValidationError", message, target)


def expiry(minutes: int) -> dict[str, Any]:
    interval = "Value must be within the [60, 1440] interval."
    message = f"ExpiresInMinutes value {minutes} is invalid. {interval}"
    return invalid(message, "ExpiresInMinutes")


NEW = {"identity": {"id": ID}}
ISSUED = {"token": TOKEN, "expiresOn": WHEN}
NEW_WITH_TOKEN = {**NEW, "accessToken": ISSUED}
NO_SCOPES = invalid("Scopes: The Scopes field is required.", "Scopes")
NO_TOKEN = invalid("The body is either missing or doesn't contain any token.")
BAD_TOKEN = error("InvalidAccessToken", "Provided access token is not valid.")
NO_APP = invalid("AppId: The AppId field is required.", "AppId")
NO_USER = invalid("UserId: The UserId field is required.", "UserId")
CHAT = {"createTokenWithScopes": ["chat"]}
JOIN = {"createTokenWithScopes": ["chat.join", "voip.join"]}
BOB = {"customId": "bob@contoso.com", "id": ID}

TABLE = [
    Row(VERSIONS, CREATE, b"", 201, NEW),
    Row(VERSIONS, CREATE, {}, 201, NEW),
    Row(VERSIONS, CREATE, {"createTokenWithScopes": None, "expiresInMinutes": None}, 201, NEW),
    Row(VERSIONS, CREATE, CHAT, 201, NEW_WITH_TOKEN),
    Row(VERSIONS[6:], CREATE, JOIN, 201, NEW_WITH_TOKEN),
    Row(EXPIRY, CREATE, {**CHAT, "expiresInMinutes": None}, 201, NEW_WITH_TOKEN),
    Row(EXPIRY, CREATE, {**CHAT, "expiresInMinutes": 60}, 201, NEW_WITH_TOKEN),
    Row(EXPIRY, CREATE, {**CHAT, "expiresInMinutes": 1440}, 201, NEW_WITH_TOKEN),
    Row(EXPIRY, CREATE, {**CHAT, "expiresInMinutes": 59}, 400, expiry(59)),
    Row(EXPIRY, CREATE, {**CHAT, "expiresInMinutes": 1441}, 400, expiry(1441)),
    Row(PREVIEW, CREATE, {"customId": "bob@contoso.com"}, 201, {"identity": BOB}),
    Row(
        PREVIEW,
        CREATE,
        {"customId": "alice", "createTokenWithScopes": ["voip"], "expiresInMinutes": 120},
        201,
        {
            "identity": {"customId": "alice", "lastTokenIssuedAt": SECOND, "id": ID},
            "accessToken": ISSUED,
        },
    ),
    Row(PREVIEW, GET, b"", 200, {"id": ID}),
    Row(VERSIONS, ISSUE, {"scopes": ["chat"]}, 200, ISSUED),
    Row(EXPIRY, ISSUE, {"scopes": ["chat"], "expiresInMinutes": None}, 200, ISSUED),
    Row(EXPIRY, ISSUE, {"scopes": ["chat"], "expiresInMinutes": 60}, 200, ISSUED),
    Row(EXPIRY, ISSUE, {"scopes": ["chat"], "expiresInMinutes": 1440}, 200, ISSUED),
    Row(EXPIRY, ISSUE, {"scopes": ["voip"], "expiresInMinutes": 59}, 400, expiry(59)),
    Row(EXPIRY, ISSUE, {"scopes": ["voip"], "expiresInMinutes": 1441}, 400, expiry(1441)),
    Row(VERSIONS, ISSUE, {}, 400, NO_SCOPES, False),
    Row(VERSIONS, ISSUE, {"scopes": None, "expiresInMinutes": None}, 400, NO_SCOPES, False),
    Row(VERSIONS, REVOKE, b"", 204, None),
    Row(VERSIONS, DELETE, b"", 204, None),
    Row((P2021,), EXCHANGE, {"token": VALID}, 200, ISSUED),
    Row((P2021,), EXCHANGE, {"token": "x"}, 401, BAD_TOKEN, False),
    Row(TEAMS, EXCHANGE, ALL, 200, ISSUED),
    Row(TEAMS, EXCHANGE, {**ALL, "token": "x"}, 401, BAD_TOKEN, False),
    Row(TEAMS, EXCHANGE, {"token": "", "appId": APP, "userId": ""}, 401, BAD_TOKEN, False),
    Row(TEAMS, EXCHANGE, {"token": "x", "appId": APP, "userId": ""}, 401, BAD_TOKEN, False),
    Row(TEAMS, EXCHANGE, {}, 400, NO_TOKEN, False),
    Row(TEAMS, EXCHANGE, {"appId": APP, "userId": TEAMS_USER}, 400, NO_TOKEN, False),
    Row(TEAMS, EXCHANGE, {**ALL, "appId": ""}, 400, NO_APP, False),
    Row(TEAMS, EXCHANGE, {"token": VALID, "userId": TEAMS_USER}, 400, NO_APP, False),
    Row(TEAMS, EXCHANGE, {**ALL, "userId": ""}, 400, NO_USER, False),
    Row(TEAMS, EXCHANGE, {"token": VALID, "appId": APP}, 400, NO_USER, False),
    Row(
        TEAMS,
        EXCHANGE,
        {**ALL, "appId": "x"},
        400,
        invalid("Provided AppId has invalid format.", "appId"),
    ),
    Row(
        TEAMS,
        EXCHANGE,
        {**ALL, "userId": "x"},
        400,
        invalid("Provided UserId has invalid format.", "userId"),
    ),
    Row(
        TEAMS,
        EXCHANGE,
        {**ALL, "appId": STRANGER},
        400,
        invalid("AAD application is not the expected one.", "appId"),
    ),
    Row(
        TEAMS,
        EXCHANGE,
        {**ALL, "userId": STRANGER},
        400,
        invalid("Provided AAD token issued for unexpected user.", "userId"),
    ),
]


@pytest.mark.parametrize(
    ("version", "row"),
    [(version, row) for row in TABLE for version in row.versions],
    ids=lambda value: value if isinstance(value, str) else f"{value.call} {value.status}",
)
def test_outcome(emulator: IdentityEmulator, send: Send, version: str, row: Row) -> None:
    emulator.reset()
    method, path = row.call.split(" ")
    if "{user}" in path:
        user = send("POST", "/identities", version=version).json["identity"]["id"]
        path = path.replace("{user}", user)
    sent = row.sent
    if isinstance(sent, dict) and sent.get("token") == VALID:
        entra = emulator.issue_entra_token(user_object_id=TEAMS_USER, client_id=APP)
        sent = {**sent, "token": entra}
    reply = send(method, path, sent, version=version)
    assert reply.status == row.status
    compare(reply.json, row.body)
    assert ("api-supported-versions" in reply.headers) == row.reports_versions
    assert (reply.headers["Transfer-Encoding"] == "chunked") == (row.status >= 400)
    assert reply.headers["Content-Type"] == content_type(row)


def content_type(row: Row) -> str | None:
    if row.status == 204:
        return None
    return "application/json" if row.status >= 400 else "application/json; charset=utf-8"


def compare(actual: Any, expected: Any) -> None:
    """Same keys in the same order; same values, or of the kind that stands for them."""
    if isinstance(expected, dict):
        assert list(actual) == list(expected)
        for name, value in expected.items():
            compare(actual[name], value)
    elif isinstance(expected, re.Pattern):
        assert expected.fullmatch(actual)
    else:
        assert actual == expected
