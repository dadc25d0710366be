"""Teams extension assignments: put, get, delete."""

import uuid
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]

TENANT = str(uuid.UUID(int=0xA1))
CLIENT, OTHER_CLIENT = str(uuid.UUID(int=0xC1)), str(uuid.UUID(int=0xC2))
VERSIONS = ["2025-03-02-preview", "2025-06-30", "2026-09-23"]


@pytest.fixture
def object_id() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def path(object_id: str) -> str:
    return f"/access/teamsExtension/tenants/{TENANT}/assignments/{object_id}"


@pytest.mark.parametrize("version", VERSIONS)
def test_put_get_replace_delete(send: Send, path: str, object_id: str, version: str) -> None:
    first = {"principalType": "user", "clientIds": [CLIENT, OTHER_CLIENT]}
    shown = {"objectId": object_id, "tenantId": TENANT, **first}
    for status in (201, 200):
        reply = send("PUT", path, first, version=version)
        assert (reply.status, reply.json) == (status, shown)
    assert list(reply.json) == ["objectId", "tenantId", "principalType", "clientIds"]
    assert "api-supported-versions" in reply.headers
    reply = send("GET", path, version=version)
    assert (reply.status, reply.json) == (200, shown)
    reply = send("PUT", path, {"principalType": "resourceAccount"}, version=version)
    replaced = {"objectId": object_id, "tenantId": TENANT, "principalType": "resourceAccount"}
    assert (reply.status, reply.json) == (200, replaced)
    assert send("GET", path, version=version).json == replaced
    reply = send("DELETE", path, version=version)
    assert (reply.status, reply.body) == (204, b"")
    assert send("GET", path, version=version).status == 404


@pytest.mark.parametrize(
    "principal_type", ["resourceAccount", "teamsResourceAccount", "User", "USER", "ResourceAccount"]
)
def test_the_principal_type_is_given_back_as_put(
    send: Send, path: str, principal_type: str
) -> None:
    for status in (201, 200):
        reply = send("PUT", path, {"principalType": principal_type})
        assert (reply.status, reply.json["principalType"]) == (status, principal_type)
    assert send("GET", path).json["principalType"] == principal_type


def test_no_client_is_not_the_same_as_not_given(send: Send, path: str) -> None:
    send("PUT", path, {"principalType": "user", "clientIds": []})
    assert send("GET", path).json["clientIds"] == []


def test_case_does_not_matter(send: Send, path: str, object_id: str) -> None:
    send("PUT", path, {"principalType": "user"})
    reply = send("GET", path.replace(object_id, object_id.upper()))
    assert reply.json["objectId"] == object_id


def test_missing(send: Send, path: str) -> None:
    reply = send("GET", path)
    assert (reply.status, reply.code) == (404, "AssignmentNotFound")
    assert "api-supported-versions" in reply.headers
    assert send("DELETE", path).status == 204


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("tenant", "object_id", "target"),
    [("x", CLIENT, "tenantId"), (TENANT, "8:acs:x", "objectId"), ("x", "y", "tenantId")],
)
def test_ids_that_are_no_guids(
    send: Send, method: str, tenant: str, object_id: str, target: str
) -> None:
    path = f"/access/teamsExtension/tenants/{tenant}/assignments/{object_id}"
    reply = send(method, path, {"principalType": "user"} if method == "PUT" else b"")
    field = target[0].upper() + target[1:]
    assert (reply.status, reply.error) == (
        400,
        {
            "code": "ValidationError",
            "message": f"Provided {field} has invalid format.",
            "target": target,
        },
    )


@pytest.mark.parametrize(
    ("body", "target"),
    [
        (b"", None),
        (b"[]", None),
        ({}, "PrincipalType"),
        ({"principalType": None}, "PrincipalType"),
        ({"principalType": ""}, "PrincipalType"),
        ({"principalType": 1}, "PrincipalType"),
        ({"principalType": "group"}, "principalType"),
        ({"principalType": "user", "clientIds": "x"}, "ClientIds"),
        ({"principalType": "user", "clientIds": ["x"]}, "clientIds"),
    ],
)
def test_refused(send: Send, path: str, body: object, target: str | None) -> None:
    reply = send("PUT", path, body)
    assert (reply.status, reply.code) == (400, "ValidationError")
    assert reply.error.get("target") == target
    assert send("GET", path).status == 404


@pytest.mark.parametrize("version", ["2021-03-07", "2021-11-01", "2022-06-01", "2023-10-01"])
def test_versions_without_it(send: Send, path: str, version: str) -> None:
    assert send("GET", path, version=version).code == "UnsupportedApiVersion"


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_wrong_method(send: Send, path: str, method: str) -> None:
    reply = send(method, path)
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, PUT, DELETE")


def test_a_restart_continues(send: Send, path: str, tmp_path: object) -> None:
    for status in (201, 200):
        with IdentityEmulator(database=f"{tmp_path}/a.db") as emulator:
            assert send("PUT", path, {"principalType": "user"}, to=emulator).status == status
