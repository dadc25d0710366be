"""Entra assignments: list in pages, merge patch, get, put, delete."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]
Call = Callable[..., SimpleNamespace]

VERSION = "2025-03-02-preview"
LIST = "/access/entra/assignments"
TENANT, CLIENT = str(uuid.UUID(int=0xE1)), str(uuid.UUID(int=0xE2))
BODY = {"tenantId": TENANT, "principalType": "user", "clientIds": [CLIENT]}


def guid(number: int) -> str:
    return str(uuid.UUID(int=number))


@pytest.fixture(scope="module")
def own() -> Iterator[IdentityEmulator]:
    with IdentityEmulator(page_size=3) as emulator:
        yield emulator


@pytest.fixture
def call(own: IdentityEmulator, send: Send) -> Call:
    own.reset()
    return lambda method, path=LIST, body=b"", version=VERSION: send(
        method, path, body, version=version, to=own
    )


def pages(own: IdentityEmulator, call: Call, first: SimpleNamespace) -> list[list[dict[str, Any]]]:
    """The pages from the first one on, each found by the link of the one before."""
    found = [first.json["value"]]
    page = first
    while "nextLink" in page.json:
        assert len(found) < 20
        link = page.json["nextLink"]
        assert link.startswith(own.endpoint)
        page = call("GET", "/" + link.removeprefix(own.endpoint), version=None)
        assert page.status == 200
        found.append(page.json["value"])
    return found


def test_put_get_replace_delete(call: Call) -> None:
    path = f"{LIST}/{guid(1)}"
    shown = {"objectId": guid(1), **BODY}
    for status in (201, 200):
        reply = call("PUT", path, BODY)
        assert (reply.status, reply.json) == (status, shown)
    assert list(reply.json) == ["objectId", "tenantId", "principalType", "clientIds"]
    assert reply.headers["api-supported-versions"] == VERSION
    reply = call("GET", path)
    assert (reply.status, reply.json) == (200, shown)
    replaced = {"tenantId": guid(9), "principalType": "Group", "clientIds": []}
    reply = call("PUT", path, replaced)
    assert (reply.status, reply.json) == (200, {"objectId": guid(1), **replaced})
    assert call("GET").json == {"value": [reply.json]}
    reply = call("DELETE", path)
    assert (reply.status, reply.body) == (204, b"")
    assert call("DELETE", path).status == 204
    reply = call("GET", path)
    assert (reply.status, reply.code) == (404, "AssignmentNotFound")


def test_an_object_has_one_assignment(call: Call) -> None:
    object_id = "ABCDEF00-0000-0000-0000-000000000000"
    assert call("PUT", f"{LIST}/{object_id}", BODY).status == 201
    assert call("PUT", f"{LIST}/{object_id.lower()}", {**BODY, "tenantId": guid(8)}).status == 200
    assert [item["tenantId"] for item in call("GET").json["value"]] == [guid(8)]


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, [0]), (1, [1]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])]
)
def test_pages(own: IdentityEmulator, call: Call, count: int, sizes: list[int]) -> None:
    ids = [guid(number * 7 % 101) for number in range(1, count + 1)]
    for object_id in ids:
        call("PUT", f"{LIST}/{object_id}", BODY)
    found = pages(own, call, call("GET"))
    assert [len(page) for page in found] == sizes
    assert [item["objectId"] for page in found for item in page] == sorted(ids)


def test_pages_while_assignments_change(own: IdentityEmulator, call: Call) -> None:
    call("PATCH", LIST, {guid(number): BODY for number in range(1, 7)})
    first = call("GET")
    call("PATCH", LIST, {guid(1): None, guid(3): None, guid(5): None, guid(7): BODY})
    later = [item["objectId"] for page in pages(own, call, first)[1:] for item in page]
    assert later == [guid(4), guid(6), guid(7)]


@pytest.mark.parametrize(
    ("skip", "status"),
    [("x", 400), ("", 400), (f"{guid(1)}'", 400), ("%00", 400), (guid(2**128 - 1), 200)],
)
def test_skip_token(call: Call, skip: str, status: int) -> None:
    call("PUT", f"{LIST}/{guid(1)}", BODY)
    reply = call("GET", f"{LIST}?api-version={VERSION}&skipToken={skip}", version=None)
    assert reply.status == (status if skip else 200)
    if reply.status == 400:
        assert reply.error["target"] == "skipToken"


def test_bearer_and_https_in_the_link(send: Send) -> None:
    with IdentityEmulator(tls=True, page_size=1) as emulator:
        token = emulator.issue_entra_token(
            user_object_id=guid(1),
            client_id=CLIENT,
            scopes=["https://communication.azure.com//.default"],
        )
        changes = {guid(number): BODY for number in (1, 2)}
        page = send("PATCH", LIST, changes, to=emulator, bearer=token, version=VERSION)
        assert page.json["nextLink"].startswith(f"{emulator.endpoint}access/entra/assignments?")


class TestMergePatch:
    def test_adds_replaces_and_removes(self, own: IdentityEmulator, call: Call) -> None:
        reply = call("PATCH", LIST, {guid(number): BODY for number in range(1, 6)})
        assert reply.status == 200
        assert [len(page) for page in pages(own, call, reply)] == [3, 2]
        other = {**BODY, "principalType": "group"}
        reply = call("PATCH", LIST, {guid(1): None, guid(2): other, guid(6): BODY, guid(7): None})
        found = [item for page in pages(own, call, reply) for item in page]
        assert [item["objectId"] for item in found] == [guid(n) for n in (2, 3, 4, 5, 6)]
        assert found[0] == {"objectId": guid(2), **other}

    def test_nothing_left(self, call: Call) -> None:
        call("PUT", f"{LIST}/{guid(1)}", BODY)
        reply = call("PATCH", LIST, {guid(1): None})
        assert (reply.status, reply.body) == (204, b"")
        assert call("PATCH", LIST, {}).status == 204

    def test_all_or_nothing(self, call: Call) -> None:
        call("PUT", f"{LIST}/{guid(1)}", BODY)
        wrong = {guid(1): None, guid(2): BODY, guid(3): {**BODY, "tenantId": "x"}}
        reply = call("PATCH", LIST, wrong)
        assert (reply.status, reply.error["target"]) == (400, "tenantId")
        assert [item["objectId"] for item in call("GET").json["value"]] == [guid(1)]

    @pytest.mark.parametrize(
        ("body", "target"),
        [
            (b"", None),
            (b"[]", None),
            (b"5", None),
            (b"{", None),
            ({"x": BODY}, "objectId"),
            ({"": None}, "objectId"),
            ({guid(2): 5}, None),
            ({guid(2): []}, None),
            ({guid(2): {}}, "TenantId"),
            ({guid(2): {"clientIds": [CLIENT]}}, "TenantId"),
        ],
    )
    def test_rejected(self, call: Call, body: object, target: str | None) -> None:
        reply = call("PATCH", LIST, body)
        assert (reply.status, reply.code) == (400, "ValidationError")
        assert reply.error.get("target") == target
        assert call("GET").json == {"value": []}

    def test_thousands(self, own: IdentityEmulator, call: Call) -> None:
        ids = [guid(number) for number in range(1, 4001)]
        assert call("PATCH", LIST, dict.fromkeys(ids, BODY)).status == 200
        assert call("GET", f"{LIST}/{ids[-1]}").status == 200
        assert call("PATCH", LIST, dict.fromkeys(ids)).status == 204


@pytest.mark.parametrize(
    ("changed", "target"),
    [
        ({"tenantId": None}, "TenantId"),
        ({"tenantId": ""}, "TenantId"),
        ({"tenantId": 5}, "TenantId"),
        ({"tenantId": "x"}, "tenantId"),
        ({"principalType": None}, "PrincipalType"),
        ({"principalType": "resourceAccount"}, "principalType"),
        ({"clientIds": None}, "ClientIds"),
        ({"clientIds": "x"}, "ClientIds"),
        ({"clientIds": [5]}, "ClientIds"),
        ({"clientIds": ["x"]}, "clientIds"),
    ],
)
def test_rejected(call: Call, changed: dict[str, object], target: str) -> None:
    reply = call("PUT", f"{LIST}/{guid(1)}", {**BODY, **changed})
    assert (reply.status, reply.code, reply.error["target"]) == (400, "ValidationError", target)
    assert call("GET", f"{LIST}/{guid(1)}").status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_object_that_is_not_a_guid(call: Call, method: str) -> None:
    reply = call(method, f"{LIST}/x", BODY if method == "PUT" else b"")
    assert (reply.status, reply.error["target"]) == (400, "objectId")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("POST", LIST, "GET, PATCH"), ("PATCH", f"{LIST}/x", "GET, PUT, DELETE")],
)
def test_wrong_method(call: Call, method: str, path: str, allow: str) -> None:
    reply = call(method, path)
    assert (reply.status, reply.headers["Allow"]) == (405, allow)


def test_a_restart_continues(send: Send, tmp_path: Path) -> None:
    for status in (201, 200):
        with IdentityEmulator(database=tmp_path / "a.db") as emulator:
            reply = send("PUT", f"{LIST}/{guid(1)}", BODY, version=VERSION, to=emulator)
            assert reply.status == status


@pytest.mark.parametrize("size", [0, -1, 10_001])
def test_page_size(size: int) -> None:
    with pytest.raises(ValueError, match="page_size must be from 1 to 10000"):
        IdentityEmulator(page_size=size)


@pytest.mark.parametrize("fault", ["no-fields", "truncated", "reset-in-body"])
def test_faults_of_an_answer_without_a_body(own: IdentityEmulator, call: Call, fault: str) -> None:
    own.inject("update-entra-assignments", fault)
    try:
        reply = call("PATCH", LIST, {})
    except OSError:
        assert fault == "reset-in-body"
    else:
        assert (reply.status, reply.body) == (204, b"")
    assert own.identities() == []
    with pytest.raises(ValueError, match="answers without a body"):
        own.inject("delete-entra-assignment", fault)
