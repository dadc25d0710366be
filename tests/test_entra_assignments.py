"""Entra assignments on both clients: the requests, the pages and the results."""

import copy
import json
import pickle
import re
from typing import Any
from uuid import UUID

import pytest
from azure.core.exceptions import DecodeError, HttpResponseError, ResourceNotFoundError
from either_client import ClientFactory, EitherClient
from scripted_service import ScriptedService

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import (
    ApiVersion,
    EntraAssignment,
    EntraAssignmentUpdate,
    EntraPrincipalType,
)

PREVIEW = ApiVersion.V2025_03_02_PREVIEW
PATH = "/access/entra/assignments"
VERSION = "?api-version=2025-03-02-preview"
GROUP = EntraPrincipalType.GROUP
UPDATE = EntraAssignmentUpdate(tenant_id="t", principal_type=GROUP, client_ids=("c",))
UPDATE_JSON = {"tenantId": "t", "principalType": "group", "clientIds": ["c"]}


def assignment(object_id: str) -> EntraAssignment:
    return EntraAssignment(
        object_id=object_id, tenant_id="t", principal_type=GROUP, client_ids=("c",)
    )


def sent(object_id: str, **change: Any) -> dict[str, Any]:
    return {"objectId": object_id, **UPDATE_JSON, **change}


def page(*object_ids: str, **more: Any) -> dict[str, Any]:
    return {"value": [sent(object_id) for object_id in object_ids], **more}


@pytest.fixture
def client(make_client: ClientFactory, service: ScriptedService) -> EitherClient:
    return make_client(service.endpoint, api_version=PREVIEW, retry_backoff_factor=0)


def test_the_requests_are_those_of_the_service(
    client: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(200, page("o")).will_answer(200, sent("o")).will_answer(201, sent("o"))
    service.will_answer(204).will_answer(200, page("o"))

    assert client.items(client.list_entra_assignments()) == [assignment("o")]
    assert client.get_entra_assignment("o 1/2") == assignment("o")
    assert client.upsert_entra_assignment("o", "t", GROUP, ["c"]) == assignment("o")
    assert client.delete_entra_assignment("o") is None
    updated = client.update_entra_assignments({"o": UPDATE, "p": None})
    assert client.items(updated) == [assignment("o")]

    assert [
        (it.method, it.target, it.headers["Content-Type"], json.loads(it.body or b"null"))
        for it in service.requests
    ] == [
        ("GET", PATH + VERSION, None, None),
        ("GET", f"{PATH}/o%201%2F2{VERSION}", None, None),
        ("PUT", f"{PATH}/o{VERSION}", "application/json", UPDATE_JSON),
        ("DELETE", f"{PATH}/o{VERSION}", None, None),
        (
            "PATCH",
            PATH + VERSION,
            "application/merge-patch+json",
            {"o": UPDATE_JSON, "p": None},
        ),
    ]


@pytest.mark.parametrize(
    "link",
    [
        "{endpoint}/access/entra/assignments?skip=2&api-version=2025-03-02-preview",
        "{endpoint}/access/entra/assignments?skip=2",
        "/access/entra/assignments?skip=2",
    ],
)
def test_the_pages_follow_the_next_link_and_are_signed_anew(
    client: EitherClient, service: ScriptedService, link: str
) -> None:
    link = link.format(endpoint=service.endpoint)
    service.will_answer(200, page("1", "2", nextLink=link)).will_answer(200, page("3"))

    found = client.items(client.list_entra_assignments(headers={"x-mine": "1"}))

    assert found == [assignment(object_id) for object_id in "123"]
    first, second = service.requests
    assert (second.method, second.target) == (
        "GET",
        f"{PATH}?skip=2&api-version=2025-03-02-preview",
    )
    assert first.headers["Authorization"] != second.headers["Authorization"]
    assert second.headers["Authorization"].startswith("HMAC-SHA256 ")
    assert second.headers["x-ms-client-request-id"] != first.headers["x-ms-client-request-id"]
    assert second.headers["x-mine"] == "1"


def test_assignments_are_made_listed_in_pages_changed_and_deleted(
    make_client: ClientFactory,
) -> None:
    tenant, app = str(UUID(int=1)), str(UUID(int=2))
    ids = [str(UUID(int=number)) for number in range(10, 15)]
    update = EntraAssignmentUpdate(
        tenant_id=tenant, principal_type=EntraPrincipalType.TENANT, client_ids=[app]
    )
    with IdentityEmulator(page_size=2) as emulator:
        client = make_client.from_connection_string(emulator.connection_string, api_version=PREVIEW)

        def listed() -> list[str]:
            return [it.object_id for it in client.items(client.list_entra_assignments())]

        made = client.upsert_entra_assignment(ids[0], tenant, GROUP, [app])
        assert made == EntraAssignment(
            object_id=ids[0], tenant_id=tenant, principal_type=GROUP, client_ids=(app,)
        )
        assert client.get_entra_assignment(ids[0]) == made

        updated = client.update_entra_assignments(dict.fromkeys(ids, update))
        assert listed() == ids
        assert {it.object_id for it in client.items(updated)} <= set(ids)
        changed = client.get_entra_assignment(ids[0])
        assert changed.principal_type is EntraPrincipalType.TENANT

        client.update_entra_assignments({ids[0]: None, ids[1]: None})
        client.delete_entra_assignment(ids[2])
        assert listed() == ids[3:]
        with pytest.raises(ResourceNotFoundError):
            client.get_entra_assignment(ids[0])


def test_nothing_is_sent_before_the_iteration(
    client: EitherClient, service: ScriptedService
) -> None:
    client.list_entra_assignments()
    assert service.requests == []


def test_an_update_is_sent_at_once_and_once(client: EitherClient, service: ScriptedService) -> None:
    service.will_answer(200, page("1", nextLink=f"{service.endpoint}{PATH}?skip=1"))
    updated = client.update_entra_assignments({"1": UPDATE})
    assert [request.method for request in service.requests] == ["PATCH"]
    service.will_answer(200, page("2"))
    service.answer(service.requests[0])  # drops the answer of the update
    service.requests.clear()

    assert client.items(updated) == [assignment("1"), assignment("2")]
    assert [request.method for request in service.requests] == ["GET"]


def test_an_update_may_have_no_body_in_its_answer(
    client: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(204)
    assert client.items(client.update_entra_assignments({"o": None})) == []


def test_pages_one_by_one_and_from_a_continuation_token(
    client: EitherClient, service: ScriptedService
) -> None:
    link = f"{service.endpoint}{PATH}?skip=1"
    service.will_answer(200, page("1", nextLink=link)).will_answer(200, page("2"))
    pages = client.list_entra_assignments().by_page()
    (first,) = client.items(next_page(client, pages))
    assert (first, pages.continuation_token) == (assignment("1"), link)

    rest = client.list_entra_assignments().by_page(pages.continuation_token)
    assert client.items(next_page(client, rest)) == [assignment("2")]
    assert rest.continuation_token is None
    assert service.requests[1].target == f"{PATH}?skip=1&api-version=2025-03-02-preview"


def next_page(client: EitherClient, pages: Any) -> Any:
    name = "__anext__" if hasattr(pages, "__anext__") else "__next__"
    return getattr(EitherClient(pages, client._loop), name)()


def test_a_page_that_fails_says_where_to_go_on(
    client: EitherClient, service: ScriptedService
) -> None:
    link = f"{service.endpoint}{PATH}?skip=1"
    service.will_answer(200, page("1", nextLink=link))
    service.will_answer(400, {"error": {"code": "A", "message": "a"}})
    with pytest.raises(HttpResponseError) as raised:
        client.items(client.list_entra_assignments())
    assert raised.value.continuation_token == link


ELSEWHERE = [
    "https://evil.example/access/entra/assignments",
    "//evil.example/access/entra/assignments",
    "https://{host}/access/entra/assignments",
    "http://{host}@evil.example/",
    "http://user@{host}/",
    "http://{host}.evil.example/",
    "http://{host}\\@evil.example/",
    "http://[::1",
    "ftp://{host}/",
    "/access/../entra",
    "/a/.",
    7,
    ["a"],
]


@pytest.mark.parametrize("link", ELSEWHERE)
def test_a_next_link_never_leads_to_another_host_or_scheme(
    client: EitherClient, service: ScriptedService, link: Any
) -> None:
    if isinstance(link, str):
        link = link.format(host=service.endpoint.removeprefix("http://"))
    service.will_answer(200, page("1", nextLink=link)).will_answer(200, page("2"))
    with pytest.raises(DecodeError, match="nextLink in its body does not lead to") as raised:
        client.items(client.list_entra_assignments())
    assert raised.value.status_code == 200
    assert len(service.requests) == 1


@pytest.mark.parametrize("link", [link for link in ELSEWHERE if isinstance(link, str)])
def test_a_continuation_token_never_leads_to_another_host_or_scheme(
    client: EitherClient, service: ScriptedService, link: str
) -> None:
    link = link.format(host=service.endpoint.removeprefix("http://"))
    with pytest.raises(ValueError, match=r"The URL must|Invalid|netloc"):
        next_page(client, client.list_entra_assignments().by_page(link))
    assert service.requests == []


@pytest.mark.parametrize("token", [b"/access", 5, ["a"]])
def test_a_continuation_token_is_a_str(
    client: EitherClient, service: ScriptedService, token: Any
) -> None:
    with pytest.raises(TypeError, match=f"must be a str, and not {type(token).__name__}"):
        next_page(client, client.list_entra_assignments().by_page(token))
    assert service.requests == []


def test_an_empty_continuation_token_is_that_of_the_first_page(
    client: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(200, page("1"))
    first = next_page(client, client.list_entra_assignments().by_page(""))
    assert client.items(first) == [assignment("1")]
    assert service.requests[0].target == f"{PATH}{VERSION}"


def test_a_page_that_links_to_itself_is_an_error(
    client: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(200, page("1", nextLink=f"{service.endpoint}{PATH}{VERSION}"))
    service.will_answer(400)
    with pytest.raises(DecodeError, match="nextLink in its body"):
        client.items(client.list_entra_assignments())
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "body", [{}, [], {"value": None}, {"value": {}}, {"value": ["a"]}, {"value": [{}]}, b"", b"{"]
)
def test_an_invalid_page_is_an_error(
    client: EitherClient, service: ScriptedService, body: Any
) -> None:
    service.will_answer(200, body)
    with pytest.raises(DecodeError, match="status 200, but"):
        client.items(client.list_entra_assignments())


def test_a_type_that_the_service_has_added_is_a_plain_str(
    client: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(200, sent("o", principalType="team"))
    found = client.get_entra_assignment("o")
    assert found.principal_type == "team"
    assert type(found.principal_type) is str
    client.upsert_entra_assignment("o", "t", "team", [])
    assert json.loads(service.requests[-1].body)["principalType"] == "team"


def test_an_assignment_that_does_not_exist(client: EitherClient, service: ScriptedService) -> None:
    service.will_answer(404, {"error": {"code": "AssignmentNotFound", "message": "no"}})
    with pytest.raises(ResourceNotFoundError):
        client.get_entra_assignment("o")


BAD: list[tuple[str, tuple[Any, ...], type[Exception], str]] = [
    ("get_entra_assignment", (None,), TypeError, "object_id must be a str, not NoneType."),
    ("get_entra_assignment", ("",), ValueError, "object_id must be an id from Entra, not ''."),
    ("delete_entra_assignment", ("..",), ValueError, "object_id must be an id from Entra"),
    ("upsert_entra_assignment", ("o", "", GROUP, []), ValueError, "tenant_id must be an id"),
    ("upsert_entra_assignment", ("o", "t", 1, []), TypeError, "principal_type must be an Entra"),
    ("upsert_entra_assignment", ("o", "t", GROUP, "c"), TypeError, "client_ids must be a list of"),
    ("upsert_entra_assignment", ("o", "t", GROUP, None), TypeError, "client_ids must be a list"),
    ("upsert_entra_assignment", ("o", "t", GROUP, [1]), TypeError, "Each of client_ids must be"),
    ("update_entra_assignments", ([UPDATE],), TypeError, "assignments must be a mapping to Entra"),
    ("update_entra_assignments", ({"o": {}},), TypeError, "Each value of assignments must be an"),
    ("update_entra_assignments", ({1: None},), TypeError, "Each key of assignments must be a str"),
    ("update_entra_assignments", ({"": None},), ValueError, "Each key of assignments must be an"),
]


@pytest.mark.parametrize(("method", "arguments", "error", "words"), BAD)
def test_invalid_arguments_are_rejected_before_anything_is_sent(
    client: EitherClient,
    service: ScriptedService,
    method: str,
    arguments: tuple[Any, ...],
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=f"^{re.escape(words)}"):
        getattr(client, method)(*arguments)
    assert service.requests == []


def test_an_assignment_is_a_value() -> None:
    value = assignment("o")
    assert value != assignment("p")
    assert len({value, copy.deepcopy(value), pickle.loads(pickle.dumps(value))}) == 1
    assert pickle.loads(pickle.dumps(UPDATE)) == UPDATE
