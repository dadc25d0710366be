"""The outcomes of every operation: status, body, and whether the api versions are reported."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import pytest

Send = Callable[..., SimpleNamespace]

GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ID = re.compile(f"8:acs:{GUID}_{GUID}")
EXPIRES_ON = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?\+00:00")
FOREIGN = "8:acs:00000000-0000-0000-0000-000000000001_00000000-0000-0000-0000-000000000002"


class Expected(NamedTuple):
    """An error as the service reports it; `versions`: does it carry api-supported-versions."""

    status: int
    code: str
    message: str
    target: str | None
    versions: bool


MALFORMED_ID = Expected(400, "ValidationError", "Provided identity has invalid format.", "id", True)
NOT_OWNED = Expected(
    401, "IdentityNotOwned", "Provided identity doesn't belong to the resource.", None, True
)
NOT_FOUND = Expected(404, "IdentityNotFound", "Provided identity doesn't exist.", None, True)
SCOPES_REQUIRED = Expected(
    400, "ValidationError", "Scopes: The Scopes field is required.", "Scopes", False
)
NO_SCOPES = Expected(
    400, "ValidationError", "Invalid scopes - Scopes field is required.", "scopes", True
)
NOT_JSON = Expected(400, "ValidationError", "The request body is not valid JSON.", None, False)
NO_OBJECT = Expected(400, "ValidationError", "The request body must be a JSON object.", None, False)
NO_BODY = Expected(400, "ValidationError", "A non-empty request body is required.", None, False)


def unknown_scope(scope: str) -> Expected:
    message = f"Invalid scopes - '{scope}' is not a known scope."
    return Expected(400, "ValidationError", message, "scopes", True)


def expiry(minutes: int) -> Expected:
    message = (
        f"ExpiresInMinutes value {minutes} is invalid. "
        "Value must be within the [60, 1440] interval."
    )
    return Expected(400, "ValidationError", message, "ExpiresInMinutes", True)


def wrong_type(field: str, expected: str) -> Expected:
    message = f"{field}: The {field} field must be {expected}."
    return Expected(400, "ValidationError", message, field, False)


def assert_error(reply: SimpleNamespace, expected: Expected) -> None:
    error: dict[str, object] = {"code": expected.code, "message": expected.message}
    if expected.target is not None:
        error["target"] = expected.target
    assert (reply.status, reply.json) == (expected.status, {"error": error})
    assert list(reply.json["error"]) == list(error)
    assert ("api-supported-versions" in reply.headers) == expected.versions


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        {"createTokenWithScopes": None},
        {"createTokenWithScopes": None, "expiresInMinutes": None},
        {"createTokenWithScopes": []},
        {"aFieldFromTheFuture": 1},
    ],
)
def test_create(send: Send, body: object) -> None:
    reply = send("POST", "/identities", body)
    assert reply.status == 201
    assert list(reply.json) == ["identity"]
    assert list(reply.json["identity"]) == ["id"]
    assert ID.fullmatch(reply.json["identity"]["id"])
    assert "api-supported-versions" in reply.headers


@pytest.mark.parametrize("minutes", [None, 60, 1440])
def test_create_with_token(send: Send, minutes: int | None) -> None:
    body = {"createTokenWithScopes": ["chat", "voip"], "expiresInMinutes": minutes}
    reply = send("POST", "/identities", body)
    assert reply.status == 201
    assert list(reply.json) == ["identity", "accessToken"]
    assert list(reply.json["accessToken"]) == ["token", "expiresOn"]
    assert EXPIRES_ON.fullmatch(reply.json["accessToken"]["expiresOn"])


CREATE_REFUSED: list[tuple[object, Expected]] = [
    ({"createTokenWithScopes": ["chat"], "expiresInMinutes": 59}, expiry(59)),
    ({"createTokenWithScopes": ["chat"], "expiresInMinutes": 1441}, expiry(1441)),
    ({"createTokenWithScopes": ["chat"], "expiresInMinutes": -1}, expiry(-1)),
    ({"expiresInMinutes": 0}, expiry(0)),
    ({"expiresInMinutes": 2**31 - 1}, expiry(2**31 - 1)),
    ({"expiresInMinutes": -(2**31)}, expiry(-(2**31))),
    ({"createTokenWithScopes": ["chat", "sms"]}, unknown_scope("sms")),
    ({"createTokenWithScopes": [""]}, unknown_scope("")),
    (
        {"createTokenWithScopes": "chat"},
        wrong_type("CreateTokenWithScopes", "an array of strings"),
    ),
    (
        {"createTokenWithScopes": [None]},
        wrong_type("CreateTokenWithScopes", "an array of strings"),
    ),
    ({"expiresInMinutes": "60"}, wrong_type("ExpiresInMinutes", "a 32-bit integer")),
    ({"expiresInMinutes": True}, wrong_type("ExpiresInMinutes", "a 32-bit integer")),
    ({"expiresInMinutes": 2**31}, wrong_type("ExpiresInMinutes", "a 32-bit integer")),
    ({"expiresInMinutes": -(2**31) - 1}, wrong_type("ExpiresInMinutes", "a 32-bit integer")),
    ({"expiresInMinutes": 60.5}, wrong_type("ExpiresInMinutes", "a 32-bit integer")),
    (b"{", NOT_JSON),
    (b'{"a": NaN}', NOT_JSON),
    (b"\xff\xfe\xff", NOT_JSON),
    (b"[" * 100_000, NOT_JSON),
    (b'{"expiresInMinutes": ' + b"9" * 10_000 + b"}", NOT_JSON),
    (b"[]", NO_OBJECT),
    (b'"chat"', NO_OBJECT),
]


@pytest.mark.parametrize(("body", "expected"), CREATE_REFUSED)
def test_create_refused(send: Send, body: object, expected: Expected) -> None:
    assert_error(send("POST", "/identities", body), expected)


@pytest.mark.parametrize("body", [{"scopes": ["chat"]}, {"scopes": ["voip", "chat", "voip"]}])
def test_issue(send: Send, user: str, body: object) -> None:
    reply = send("POST", f"/identities/{user}/:issueAccessToken", body)
    assert reply.status == 200
    assert list(reply.json) == ["token", "expiresOn"]
    assert EXPIRES_ON.fullmatch(reply.json["expiresOn"])
    assert "api-supported-versions" in reply.headers


ISSUE_REFUSED: list[tuple[object, Expected]] = [
    ({}, SCOPES_REQUIRED),
    ({"scopes": None, "expiresInMinutes": None}, SCOPES_REQUIRED),
    ({"scopes": []}, NO_SCOPES),
    ({"scopes": ["Chat"]}, unknown_scope("Chat")),
    ({"scopes": ["💥 ü'"]}, unknown_scope("💥 ü'")),
    ({"scopes": "chat"}, wrong_type("Scopes", "an array of strings")),
    ({"scopes": ["chat"], "expiresInMinutes": 59}, expiry(59)),
    ({"scopes": ["chat"], "expiresInMinutes": 1441}, expiry(1441)),
    (b"", NO_BODY),
    (b"{'scopes'}", NOT_JSON),
]


@pytest.mark.parametrize(("body", "expected"), ISSUE_REFUSED)
def test_issue_refused(send: Send, user: str, body: object, expected: Expected) -> None:
    assert_error(send("POST", f"/identities/{user}/:issueAccessToken", body), expected)


@pytest.mark.parametrize("operation", ["delete", "revoke", "issue"])
class TestEveryOperationOnAnIdentity:
    @staticmethod
    def call(send: Send, operation: str, identity_id: str) -> SimpleNamespace:
        path = f"/identities/{identity_id}"
        if operation == "delete":
            return send("DELETE", path)
        if operation == "revoke":
            return send("POST", f"{path}/:revokeAccessTokens")
        return send("POST", f"{path}/:issueAccessToken", {"scopes": ["chat"]})

    def test_ok(self, send: Send, user: str, operation: str) -> None:
        reply = self.call(send, operation, user)
        assert reply.status == (200 if operation == "issue" else 204)
        assert "api-supported-versions" in reply.headers

    def test_quoted_colons_are_the_same_id(self, send: Send, user: str, operation: str) -> None:
        assert self.call(send, operation, user.replace(":", "%3A")).status in (200, 204)

    def test_foreign(self, send: Send, operation: str) -> None:
        assert_error(self.call(send, operation, FOREIGN), NOT_OWNED)

    def test_never_issued(self, send: Send, user: str, operation: str) -> None:
        never = user[:-12] + "000000000000"
        assert_error(self.call(send, operation, never), NOT_OWNED)

    def test_of_another_cloud(self, send: Send, user: str, operation: str) -> None:
        other = user.replace("8:acs:", "8:gcch-acs:")
        assert_error(self.call(send, operation, other), NOT_OWNED)

    @pytest.mark.parametrize("malformed", ["x", "8:acs:1_2", "8:orgid:" + FOREIGN[6:42], "8"])
    def test_malformed(self, send: Send, operation: str, malformed: str) -> None:
        assert_error(self.call(send, operation, malformed), MALFORMED_ID)

    def test_deleted(self, send: Send, deleted_user: str, operation: str) -> None:
        reply = self.call(send, operation, deleted_user)
        if operation == "delete":
            assert reply.status == 204
        else:
            assert_error(reply, NOT_FOUND)


class TestCustomId:
    VERSION = "2025-03-02-preview"

    def create(self, send: Send, body: object) -> SimpleNamespace:
        reply = send("POST", "/identities", body, version=self.VERSION)
        assert reply.status == 201
        return reply

    def test_names_one_identity(self, send: Send) -> None:
        first = self.create(send, {"customId": "bob@contoso.com"})
        assert list(first.json["identity"]) == ["customId", "id"]
        assert self.create(send, {"customId": "bob@contoso.com"}).json == first.json
        other = self.create(send, {"customId": "Bob@contoso.com"})
        assert other.json["identity"]["id"] != first.json["identity"]["id"]

    def test_after_a_token_was_issued(self, send: Send) -> None:
        body = {"customId": "alice", "createTokenWithScopes": ["chat"]}
        created = self.create(send, body).json
        assert list(created) == ["identity", "accessToken"]
        assert list(created["identity"]) == ["customId", "lastTokenIssuedAt", "id"]
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", created["identity"]["lastTokenIssuedAt"]
        )
        path = f"/identities/{created['identity']['id']}"
        reply = send("GET", path, version=self.VERSION)
        assert (reply.status, reply.json) == (200, created["identity"])

    def test_is_free_again_after_deletion(self, send: Send) -> None:
        first = self.create(send, {"customId": "carol"}).json["identity"]["id"]
        send("DELETE", f"/identities/{first}")
        assert self.create(send, {"customId": "carol"}).json["identity"]["id"] != first

    @pytest.mark.parametrize("custom_id", ["x", "y" * 256])
    def test_of_an_allowed_length(self, send: Send, custom_id: str) -> None:
        created = self.create(send, {"customId": custom_id}).json
        assert created["identity"]["customId"] == custom_id

    @pytest.mark.parametrize("custom_id", ["", "x" * 257])
    def test_of_another_length(self, send: Send, custom_id: str) -> None:
        reply = send("POST", "/identities", {"customId": custom_id}, version=self.VERSION)
        assert_error(reply, wrong_type("CustomId", "a string of 1 to 256 characters"))

    def test_get_without_custom_id(self, send: Send, user: str) -> None:
        reply = send("GET", f"/identities/{user}", version=self.VERSION)
        assert (reply.status, reply.json) == (200, {"id": user})

    def test_get_of_a_deleted_identity(self, send: Send, deleted_user: str) -> None:
        reply = send("GET", f"/identities/{deleted_user}", version=self.VERSION)
        assert_error(reply, NOT_FOUND)
