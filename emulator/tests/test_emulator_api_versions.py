"""What each api version knows, and how the others answer."""

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace

import jwt
import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]

VERSIONS = [
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
]
PREVIEW = "2025-03-02-preview"
since = pytest.mark.parametrize("version", VERSIONS)


@since
def test_the_four_first_operations_are_in_all(send: Send, version: str) -> None:
    user = send("POST", "/identities", version=version).json["identity"]["id"]
    path = f"/identities/{user}"
    body = {"scopes": ["chat", "voip"]}
    assert send("POST", f"{path}/:issueAccessToken", body, version=version).status == 200
    assert send("POST", f"{path}/:revokeAccessTokens", version=version).status == 204
    assert send("DELETE", path, version=version).status == 204


@since
def test_teams_exchange(emulator: IdentityEmulator, send: Send, version: str) -> None:
    reply = send("POST", "/teamsUser/:exchangeAccessToken", {}, version=version)
    if version in ("2020-07-20-preview2", "2021-03-07", "2021-11-01"):
        url = emulator.endpoint + "teamsUser/:exchangeAccessToken"
        assert_unsupported(reply, url, version)
    else:
        assert reply.error["message"].startswith("The body is either missing")


@since
@pytest.mark.parametrize("minutes", [60, 59, "60"])
def test_expiry(send: Send, user: str, version: str, minutes: object) -> None:
    body = {"scopes": ["chat"], "expiresInMinutes": minutes}
    reply = send("POST", f"/identities/{user}/:issueAccessToken", body, version=version)
    knows = version >= "2022-10-01"
    assert reply.status == (200 if minutes == 60 or not knows else 400)
    if reply.status == 200:
        claims = jwt.decode(reply.json["token"], options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == (3600 if knows else 86400)


@since
@pytest.mark.parametrize("scope", ["chat.join", "chat.join.limited", "voip.join"])
def test_scopes(send: Send, user: str, version: str, scope: str) -> None:
    body = {"scopes": ["chat", scope]}
    reply = send("POST", f"/identities/{user}/:issueAccessToken", body, version=version)
    if version >= "2023-10-01":
        assert reply.status == 200
    else:
        assert reply.error["message"].startswith("Invalid scopes - ")


@since
def test_custom_id(send: Send, version: str) -> None:
    reply = send("POST", "/identities", {"customId": f"of {version}"}, version=version)
    assert reply.status == 201
    assert ("customId" in reply.json["identity"]) == (version == PREVIEW)
    reply = send("POST", "/identities", {"customId": 5}, version=version)
    assert reply.status == (400 if version == PREVIEW else 201)


@since
def test_get(send: Send, user: str, version: str) -> None:
    reply = send("GET", f"/identities/{user}", version=version)
    assert reply.status == (200 if version == PREVIEW else 405)
    if version != PREVIEW:
        assert reply.headers["Allow"] == "DELETE"


@since
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/access/entra/assignments"),
        ("PATCH", "/access/entra/assignments"),
        ("GET", "/access/entra/assignments/x"),
        ("PUT", "/access/entra/assignments/x"),
        ("DELETE", "/access/entra/assignments/x"),
    ],
)
def test_entra_assignments(
    emulator: IdentityEmulator, send: Send, version: str, method: str, path: str
) -> None:
    reply = send(method, path, version=version)
    if version == PREVIEW:
        assert reply.code in (None, "ValidationError")
        assert reply.headers["api-supported-versions"] in (None, PREVIEW)
    else:
        assert_unsupported(reply, emulator.endpoint.rstrip("/") + path, version)


@since
def test_expires_on_agrees_with_the_token(send: Send, user: str, version: str) -> None:
    body = {"scopes": ["chat"], "expiresInMinutes": 90}
    reply = send("POST", f"/identities/{user}/:issueAccessToken", body, version=version)
    expires_on = datetime.fromisoformat(reply.json["expiresOn"][:19] + "+00:00").timestamp()
    assert jwt.decode(reply.json["token"], options={"verify_signature": False})["exp"] == expires_on


def assert_unsupported(reply: SimpleNamespace, url: str, version: str) -> None:
    message = (
        f"The HTTP resource that matches the request URI '{url}' "
        f"does not support the API version '{version}'."
    )
    error = {"code": "UnsupportedApiVersion", "message": message, "innerError": None}
    assert (reply.status, reply.json) == (400, {"error": error})
    assert list(reply.json["error"]) == list(error)
    assert "api-supported-versions" not in reply.headers


@pytest.mark.parametrize("version", ["2020-01-01", "2025-06-30-preview", "x", "latest"])
@pytest.mark.parametrize("path", ["identities", "identities/8:acs:x/:issueAccessToken"])
def test_unsupported(emulator: IdentityEmulator, send: Send, path: str, version: str) -> None:
    reply = send("POST", f"/{path}", version=version)
    assert_unsupported(reply, emulator.endpoint + path, version)


@pytest.mark.parametrize("query", ["", "?", "?api-version=", "?api-version", "?version=2025-06-30"])
def test_unspecified(send: Send, query: str) -> None:
    reply = send("POST", f"/identities{query}", version=None)
    assert reply.status == 400
    assert reply.error == {
        "code": "ApiVersionUnspecified",
        "message": "An API version is required, but was not specified.",
        "innerError": None,
    }
    assert "api-supported-versions" not in reply.headers


def test_ambiguous(send: Send) -> None:
    query = "?api-version=2025-06-30&api-version=2023-10-01"
    assert send("POST", f"/identities{query}", version=None).code == "AmbiguousApiVersion"


@pytest.mark.parametrize(
    "query",
    [
        "?x=1&api-version=2025-06-30",
        "?API-Version=2025%2D06-30",
        "?" + 2 * "&api-version=2025-06-30",
    ],
)
def test_other_ways_to_write_it(send: Send, query: str) -> None:
    assert send("POST", f"/identities{query}", version=None).status == 201
