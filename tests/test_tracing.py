"""A call in OpenTelemetry."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from either_client import ClientFactory, EitherClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted_service import ScriptedService

from azure.communication.identity._version import VERSION


@pytest.fixture
def enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TRACING_ENABLED", "true")


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)  # once in a process
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


@pytest.mark.usefixtures("enabled")
def test_a_call_is_one_span_around_its_requests(
    scripted_client: EitherClient, service: ScriptedService, spans: InMemorySpanExporter
) -> None:
    service.will_answer(503).will_answer(201, {"identity": {"id": "8:acs:x"}})
    scripted_client.create_user()

    *requests, call = spans.get_finished_spans()
    assert call.name == "CommunicationIdentityClient.create_user"
    assert call.context is not None
    assert [span.name for span in requests] == ["POST", "POST"]
    assert {span.parent.span_id for span in requests if span.parent} == {call.context.span_id}
    for span, request in zip(requests, service.requests, strict=True):
        assert span.context is not None
        assert f"{span.context.span_id:016x}" in request.headers["traceparent"]
        assert "Signature" not in str(span.attributes)


PREVIEW = {"api_version": "2025-03-02-preview"}
METHODS: dict[str, tuple[tuple[Any, ...], dict[str, str]]] = {
    "create_user": ((), {}),
    "create_user_and_token": ((["chat"],), {}),
    "get_user_detail": (("8:acs:x",), PREVIEW),
    "get_token": (("8:acs:x", ["chat"]), {}),
    "revoke_tokens": (("8:acs:x",), {}),
    "delete_user": (("8:acs:x",), {}),
    "get_token_for_teams_user": (("t", "a", "u"), {}),
    "get_teams_extension_assignment": (("t", "o"), {}),
    "upsert_teams_extension_assignment": (("t", "o", "user"), {}),
    "delete_teams_extension_assignment": (("t", "o"), {}),
    "get_entra_assignment": (("o",), PREVIEW),
    "upsert_entra_assignment": (("o", "t", "user", []), PREVIEW),
    "delete_entra_assignment": (("o",), PREVIEW),
    "update_entra_assignments": (({},), PREVIEW),
}


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize("method", METHODS)
def test_each_method_is_a_span(
    scripted_client: EitherClient,
    service: ScriptedService,
    spans: InMemorySpanExporter,
    method: str,
) -> None:
    arguments, options = METHODS[method]
    service.will_answer(404)
    with pytest.raises(ResourceNotFoundError):
        getattr(scripted_client, method)(*arguments, **options)
    assert spans.get_finished_spans()[-1].name == f"CommunicationIdentityClient.{method}"


@pytest.mark.usefixtures("enabled")
def test_a_list_is_a_span_before_its_pages_are_requested(
    scripted_client: EitherClient, spans: InMemorySpanExporter
) -> None:
    scripted_client.list_entra_assignments(**PREVIEW)
    (span,) = spans.get_finished_spans()
    assert span.name == "CommunicationIdentityClient.list_entra_assignments"


@pytest.mark.usefixtures("enabled")
def test_a_failed_call_is_a_failed_span(
    scripted_client: EitherClient, service: ScriptedService, spans: InMemorySpanExporter
) -> None:
    service.will_answer(401, {"error": {"code": "Denied", "message": "Denied."}})
    with pytest.raises(HttpResponseError):
        scripted_client.revoke_tokens("8:acs:x")
    call = spans.get_finished_spans()[-1]
    assert call.name == "CommunicationIdentityClient.revoke_tokens"
    assert not call.status.is_ok
    assert call.attributes is not None
    assert call.attributes["error.type"] == "azure.core.exceptions.ClientAuthenticationError"


def test_one_call_may_be_traced(
    scripted_client: EitherClient, service: ScriptedService, spans: InMemorySpanExporter
) -> None:
    service.will_answer(201, {"identity": {"id": "8:acs:x"}})
    scripted_client.create_user(tracing_options={"enabled": True, "attributes": {"app": "mine"}})
    assert [span.name for span in spans.get_finished_spans()] == [
        "POST",
        "CommunicationIdentityClient.create_user",
    ]
    attributes = spans.get_finished_spans()[1].attributes
    assert attributes is not None
    assert attributes["app"] == "mine"


def test_there_is_no_span_unless_tracing_is_enabled(
    scripted_client: EitherClient, service: ScriptedService, spans: InMemorySpanExporter
) -> None:
    service.will_answer(201, {"identity": {"id": "8:acs:x"}})
    scripted_client.create_user()
    scripted_client.create_user(tracing_options={"enabled": False})
    assert not spans.get_finished_spans()
    assert "traceparent" not in service.requests[0].headers


@pytest.mark.usefixtures("enabled")
def test_spans_have_the_scope_of_this_library(
    scripted_client: EitherClient, service: ScriptedService, spans: InMemorySpanExporter
) -> None:
    service.will_answer(503).will_answer(201, {"identity": {"id": "8:acs:x"}})
    scripted_client.create_user()

    first, second, call = spans.get_finished_spans()
    for span in (first, second, call):
        assert span.instrumentation_scope is not None
        assert span.instrumentation_scope.name == "azure-communication-identity"
        assert span.instrumentation_scope.version == VERSION
        assert span.instrumentation_scope.attributes == {"az.namespace": "Microsoft.Communication"}
    assert second.attributes is not None
    assert second.attributes["http.request.resend_count"] == 1
    assert second.attributes["http.response.status_code"] == 201
    assert second.attributes["az.client_request_id"]
    assert first.attributes is not None
    assert first.attributes["http.response.status_code"] == 503


@pytest.mark.usefixtures("enabled")
def test_a_client_may_have_a_scope_of_its_own_for_its_requests(
    make_client: ClientFactory, service: ScriptedService, spans: InMemorySpanExporter
) -> None:
    service.will_answer(201, {"identity": {"id": "8:acs:x"}})
    make_client(service.endpoint, instrumentation_config={"library_name": "mine"}).create_user()
    request, _ = spans.get_finished_spans()
    assert request.instrumentation_scope is not None
    assert request.instrumentation_scope.name == "mine"


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize("status", [204, 302, 404])
def test_spans_show_no_user_id_when_it_is_redacted(
    make_client: ClientFactory, service: ScriptedService, spans: InMemorySpanExporter, status: int
) -> None:
    user = "8:acs:resource_user"
    endpoint = service.endpoint
    client = make_client(endpoint, redact_user_ids=True, retry_total=0)
    body = f"<a href='/identities/{user}'>".encode()
    service.will_answer(status, b"" if status == 204 else body)
    with nullcontext() if status == 204 else pytest.raises(HttpResponseError):
        client.delete_user(user)
    request, call = spans.get_finished_spans()
    shown = request.to_json() + call.to_json()
    assert user not in shown
    assert "/identities/user-" in str((request.attributes or {})["url.full"])
    assert request.context is not None
    assert f"{request.context.span_id:016x}" in service.requests[0].headers["traceparent"]
