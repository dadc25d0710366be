"""The operations of the REST layer, sync and async, on a transport that answers from memory."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterable, Awaitable
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.core.paging import ItemPaged
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest
from rest_description import Description

from azure.communication.identity import _generated
from azure.communication.identity._generated import aio as _generated_aio
from azure.communication.identity._generated.models import (
    CommunicationIdentityAccessTokenRequest,
    TeamsExtensionAssignmentRequest,
)

ROOT = Path(__file__).resolve().parent.parent
API = Description.read(ROOT / "swagger" / "communication_identity.json")
ENDPOINT = "https://host"


class Response:
    """What transports answer with, as far as the REST layer and azure-core look at it."""

    def __init__(self, request: HttpRequest, status: int, content: Any) -> None:
        self.request = request
        self.status_code = status
        self.headers = {"Content-Type": "application/json"}
        self.content_type = "application/json"
        self.reason = "A reason"
        self.content = content if isinstance(content, bytes) else json.dumps(content).encode()

    def text(self) -> str:
        return self.content.decode()


class Transport:
    """Answers the same whatever it is asked, and keeps what it was sent."""

    def __init__(self, status: int, content: Any) -> None:
        self.requests: list[HttpRequest] = []
        self.options: dict[str, Any] = {}
        self.events: list[str] = []
        self._answer = status, content

    def send(self, request: HttpRequest, **options: Any) -> Response:
        self.requests.append(request)
        self.options = options
        return Response(request, *self._answer)

    def close(self) -> None:
        self.events.append("closed")

    def __enter__(self) -> "Transport":
        self.events.append("opened")
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


class AsyncTransport(Transport):
    async def send(self, request: HttpRequest, **options: Any) -> Response:  # type: ignore[override]
        return super().send(request, **options)

    async def close(self) -> None:  # type: ignore[override]
        super().close()

    async def __aenter__(self) -> "AsyncTransport":
        self.events.append("opened")
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()


async def awaited(result: Awaitable[Any] | AsyncIterable[Any]) -> Any:
    value = await result if inspect.isawaitable(result) else result
    return [item async for item in value] if isinstance(value, AsyncIterable) else value


class Client:
    """Either REST client, behind sync methods, and its transport."""

    def __init__(
        self,
        flavour: str,
        status: int = 200,
        content: Any = None,
        endpoint: str = ENDPOINT,
        **options: Any,
    ) -> None:
        self.transport: Any
        self.rest: Any
        options.setdefault("retry_total", 0)
        if flavour == "sync":
            self.transport = Transport(status, content)
            self.rest = _generated.CommunicationIdentityClient(
                endpoint, transport=self.transport, **options
            )
        else:
            self.transport = AsyncTransport(status, content)
            self.rest = _generated_aio.CommunicationIdentityClient(
                endpoint, transport=self.transport, **options
            )

    def call(self, operation: str, *arguments: Any, **options: Any) -> Any:
        group, _, name = operation.rpartition(".")
        found = getattr(getattr(self.rest, group) if group else self.rest, name)
        result = found(*arguments, **options)
        if inspect.isawaitable(result) or isinstance(result, AsyncIterable):
            return asyncio.run(awaited(result))
        return list(result) if isinstance(result, ItemPaged) else result

    @property
    def sent(self) -> HttpRequest:
        (request,) = self.transport.requests
        found: HttpRequest = request
        return found


OPERATIONS = [
    pytest.param(group, operation, id=f"{group.name}.{operation.name}")
    for group in API.groups
    for operation in group.operations
]


@pytest.mark.parametrize(("group", "operation"), OPERATIONS)
def test_every_operation_is_a_sync_and_an_async_method(group: Any, operation: Any) -> None:
    sync, its_async = (
        getattr(getattr(module.operations, group.class_name), operation.name)
        for module in (_generated, _generated_aio)
    )
    result = "ItemPaged" if operation.pageable else ""
    assert str(inspect.signature(sync)) == str(inspect.signature(its_async)).replace(
        f"azure.core.async_paging.Async{result}", f"azure.core.paging.{result}"
    )
    assert sync.__doc__ == its_async.__doc__
    is_lazy = operation.pageable is not None and operation.method == "GET"
    assert inspect.iscoroutinefunction(its_async) is not is_lazy
    assert not inspect.iscoroutinefunction(sync)


@pytest.mark.parametrize(("group", "operation"), OPERATIONS)
def test_every_operation_takes_its_successes_and_no_other_status(
    flavour: str, group: Any, operation: Any
) -> None:
    arguments: list[Any] = ["part"] * len(operation.path_parameters)
    arguments += [{}] * bool(operation.body)
    for status in (200, 201, 202, 204):
        answer: Any = {"value": [{"a": 1}]} if operation.pageable else {"a": 1}
        client = Client(flavour, status, answer)
        if status in operation.statuses:
            result = client.call(f"{group.name}.{operation.name}", *arguments)
            if operation.pageable:
                assert result == ([] if status == 204 else [{"a": 1}])
            else:
                assert result == ({"a": 1} if operation.result else None)
        else:
            with pytest.raises(HttpResponseError):
                client.call(f"{group.name}.{operation.name}", *arguments)
        path = operation.path.replace("{id}", "part")
        path = path.replace("{tenantId}", "part").replace("{objectId}", "part")
        assert client.sent.method == operation.method
        assert client.sent.url == f"{ENDPOINT}{path}?api-version=2025-06-30"


ISSUE = "communication_identity.issue_access_token"


@pytest.mark.parametrize(
    ("operation", "arguments", "model"),
    [
        (ISSUE, ["1"], CommunicationIdentityAccessTokenRequest(scopes=["chat"])),
        (
            "teams_extension.upsert_assignment",
            ["tenant", "object"],
            TeamsExtensionAssignmentRequest(principal_type="user", client_ids=["a"]),
        ),
    ],
)
def test_a_body_is_a_mapping_or_a_model(
    flavour: str, operation: str, arguments: list[str], model: Any
) -> None:
    sent = []
    for body in (model, model.serialize()):
        client = Client(flavour, content={})
        client.call(operation, *arguments, body)
        sent.append(client.sent.content)
    assert sent == [json.dumps(model.serialize())] * 2


def test_cls_makes_the_result(flavour: str) -> None:
    client = Client(flavour, content={"a": 1})
    made = client.call(ISSUE, "1", {}, cls=lambda response, body: (response, body))
    assert made[0].status_code == 200
    assert made[1] == {"a": 1}


def test_an_operation_keeps_its_options_and_passes_the_others_on(flavour: str) -> None:
    client = Client(flavour, content={}, api_version="2023-10-01")
    client.call(ISSUE, "1", {}, headers={"x-a": "1"}, params={"b": "2"}, mine=3)
    assert (
        client.sent.url == f"{ENDPOINT}/identities/1/:issueAccessToken?b=2&api-version=2023-10-01"
    )
    assert client.sent.headers["x-a"] == "1"
    assert client.transport.options == {"mine": 3, "stream": False}
    client = Client(flavour, content={}, api_version="2023-10-01")
    client.call(ISSUE, "1", {}, api_version="2099-01-01")
    assert client.sent.url.endswith("?api-version=2099-01-01")


def test_an_endpoint_may_end_with_a_slash(flavour: str) -> None:
    client = Client(flavour, 204, endpoint="https://host/base/")
    client.call("communication_identity.delete", "1")
    assert client.sent.url == "https://host/base/identities/1?api-version=2025-06-30"


ERRORS = {
    400: HttpResponseError,
    401: ClientAuthenticationError,
    403: HttpResponseError,
    404: ResourceNotFoundError,
    409: ResourceExistsError,
    429: HttpResponseError,
    500: HttpResponseError,
}


@pytest.mark.parametrize(("status", "expected"), ERRORS.items())
def test_an_error_is_told_by_its_status(flavour: str, status: int, expected: type) -> None:
    body = {"error": {"code": "ACode", "message": "A message.", "target": "id"}}
    with pytest.raises(HttpResponseError) as raised:
        Client(flavour, status, body).call("communication_identity.delete", "1")
    assert type(raised.value) is expected
    assert raised.value.status_code == status
    assert raised.value.error is not None
    found = raised.value.error
    assert (found.code, found.message, found.target) == ("ACode", "A message.", "id")
    assert "A message." in str(raised.value)


def test_an_error_that_no_class_stands_for_has_a_model(flavour: str) -> None:
    body = {"error": {"code": "A", "message": "a", "innererror": {"code": "B", "message": "b"}}}
    with pytest.raises(HttpResponseError) as raised:
        Client(flavour, 400, body).call("communication_identity.delete", "1")
    model: Any = raised.value.model
    assert model.error.code == "A"
    assert model.error.inner_error.code == "B"


@pytest.mark.parametrize(
    "body",
    [b"<html>unavailable</html>", b"", b"\xff", [], None, "text", {"error": "text"}],
    ids=repr,
)
def test_an_error_of_another_form_has_the_status_and_no_model(flavour: str, body: Any) -> None:
    with pytest.raises(HttpResponseError) as raised:
        Client(flavour, 503, body).call("communication_identity.delete", "1")
    assert raised.value.status_code == 503
    assert raised.value.model is None or raised.value.model.error is None


def test_statuses_may_be_mapped_to_other_errors(flavour: str) -> None:
    client = Client(flavour, 404, {})
    with pytest.raises(ResourceExistsError):
        client.call("communication_identity.delete", "1", error_map={404: ResourceExistsError})
    with pytest.raises(ClientAuthenticationError):
        Client(flavour, 401, {}).call("communication_identity.delete", "1", error_map={})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>S3CRET</html>", "its body is not JSON"),
        (b"", "its body is not JSON"),
        (b'{"token": "S3CRET\xff"}', "its body is not JSON"),
        (["S3CRET"], "its body is not a JSON object"),
        (None, "its body is not a JSON object"),
    ],
)
def test_a_success_that_is_not_what_was_promised(flavour: str, body: Any, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason) as raised:
        Client(flavour, content=body).call(ISSUE, "1", {})
    assert raised.value.status_code == 200
    assert "S3CRET" not in str(raised.value)


def test_any_request_may_be_sent(flavour: str) -> None:
    client = Client(flavour, 418, {})
    request = HttpRequest("GET", "/another?a=b")
    response = client.call("send_request", request)
    assert response.status_code == 418
    assert client.sent.url == f"{ENDPOINT}/another?a=b"
    assert request.url == "/another?a=b"


def test_a_client_is_closed_and_is_a_context_manager() -> None:
    client = Client("sync")
    with client.rest as entered:
        assert entered is client.rest
        assert client.transport.events == ["opened"]
    assert client.transport.events == ["opened", "closed"]
    client.rest.close()
    assert client.transport.events == ["opened", "closed", "closed"]


async def test_an_async_client_is_closed_and_is_a_context_manager() -> None:
    client = Client("async")
    async with client.rest as entered:
        assert entered is client.rest
        assert client.transport.events == ["opened"]
    assert client.transport.events == ["opened", "closed"]
    await client.rest.close()
    assert client.transport.events == ["opened", "closed", "closed"]


class Mark(SansIOHTTPPolicy[Any, Any]):
    """Adds its name to a header, so that the order of policies shows."""

    def __init__(self, name: str) -> None:
        self.name = name

    def on_request(self, request: Any) -> None:
        headers = request.http_request.headers
        headers["x-marks"] = headers.get("x-marks", "") + self.name


@pytest.mark.parametrize("listed", [True, False])
def test_policies_run_in_the_order_of_azure_core(flavour: str, listed: bool) -> None:
    first, second = Mark("1"), Mark("2")
    client = Client(
        flavour,
        204,
        per_call_policies=[first] if listed else first,
        per_retry_policies=[second] if listed else second,
        authentication_policy=Mark("3"),
    )
    client.call("communication_identity.delete", "1")
    assert client.sent.headers["x-marks"] == "132"
