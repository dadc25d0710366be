"""The order of the policies is azure-core's, so that policies of users see what they expect."""

import asyncio
import sys
from typing import Any

import pytest
from azure.core import AsyncPipelineClient, PipelineClient
from azure.core.configuration import Configuration
from azure.core.pipeline import policies
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest
from either_client import KEY, ClientFactory
from scripted_service import ScriptedService

from azure.communication.identity._shared.auth_policy_utils import get_authentication_policy
from azure.communication.identity.aio import CommunicationIdentityClient

CREATED = {"identity": {"id": "8:acs:x"}}
OPTIONS: dict[str, Any] = {
    "headers": {"x-mine": "of the client"},
    "user_agent": "my-app/1.0",
    "request_id": "my-id",
}


def test_the_async_client_without_aiohttp_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "azure.communication.identity._transports._aiohttp", None)
    with pytest.raises(ImportError, match="needs aiohttp: pip install"):
        CommunicationIdentityClient("https://host", KEY)


class Witness(SansIOHTTPPolicy[Any, Any]):
    """Keeps the names of the headers that stand in each request when it passes."""

    def __init__(self, name: str, seen: list[tuple[str, frozenset[str]]]) -> None:
        super().__init__()
        self._name = name
        self._seen = seen

    def on_request(self, request: Any) -> None:
        names = frozenset(name.lower() for name in request.http_request.headers)
        self._seen.append((f"{self._name} request", names & INTERESTING))

    def on_response(self, request: Any, response: Any) -> None:
        self._seen.append((f"{self._name} response", frozenset()))


INTERESTING = frozenset(
    ["user-agent", "x-mine", "x-ms-client-request-id", "authorization", "x-ms-date"]
)


def witnesses(seen: list[tuple[str, frozenset[str]]]) -> dict[str, Any]:
    def hook(name: str) -> Any:
        return lambda _: seen.append((name, frozenset()))

    return {
        "per_call_policies": [Witness("call", seen)],
        "per_retry_policies": [Witness("retry", seen)],
        "raw_request_hook": hook("request hook"),
        "raw_response_hook": hook("response hook"),
    }


def seen_in_a_pipeline_of_azure_core(
    endpoint: str, is_async: bool
) -> list[tuple[str, frozenset[str]]]:
    seen: list[tuple[str, frozenset[str]]] = []
    options = {**OPTIONS, **witnesses(seen)}
    config: Any = Configuration()
    config.request_id_policy = policies.RequestIdPolicy(**options)
    config.headers_policy = policies.HeadersPolicy(**options)
    config.user_agent_policy = policies.UserAgentPolicy(**options)
    config.proxy_policy = policies.ProxyPolicy(**options)
    retry: Any = policies.AsyncRetryPolicy if is_async else policies.RetryPolicy
    redirect: Any = policies.AsyncRedirectPolicy if is_async else policies.RedirectPolicy
    config.redirect_policy = redirect(**options)
    config.retry_policy = retry(retry_backoff_factor=0)
    config.custom_hook_policy = policies.CustomHookPolicy(**options)
    config.logging_policy = policies.NetworkTraceLoggingPolicy(**options)
    config.authentication_policy = get_authentication_policy(endpoint, KEY, is_async=is_async)
    request = HttpRequest("POST", f"{endpoint}/identities?api-version=2025-06-30")
    if is_async:

        async def send() -> None:
            async with AsyncPipelineClient[Any, Any](endpoint, config=config, **options) as client:
                await client.send_request(request)

        asyncio.run(send())
    else:
        with PipelineClient[Any, Any](endpoint, config=config, **options) as client:
            client.send_request(request)
    return seen


def test_policies_of_users_see_what_they_see_in_a_pipeline_of_azure_core(
    make_client: ClientFactory, service: ScriptedService, flavour: str
) -> None:
    service.will_answer(503).will_answer(201, CREATED)
    seen: list[tuple[str, frozenset[str]]] = []
    client = make_client(service.endpoint, retry_backoff_factor=0, **OPTIONS, **witnesses(seen))
    client.create_user()

    service.will_answer(503).will_answer(201, CREATED)
    service.answer(service.requests[0])  # drops the answer that is repeated
    expected = seen_in_a_pipeline_of_azure_core(service.endpoint, flavour == "async")
    assert seen == expected
    assert ("call request", frozenset(["user-agent", "x-mine", "x-ms-client-request-id"])) in seen
    assert ("retry request", INTERESTING) in seen


@pytest.mark.parametrize("as_list", [True, False])
def test_a_policy_may_be_passed_alone_or_in_a_list(
    make_client: ClientFactory, service: ScriptedService, as_list: bool
) -> None:
    service.will_answer(201, CREATED)
    seen: list[tuple[str, frozenset[str]]] = []
    policy = Witness("call", seen)
    client = make_client(service.endpoint, per_call_policies=[policy] if as_list else policy)
    client.create_user()
    assert len(seen) == 2
