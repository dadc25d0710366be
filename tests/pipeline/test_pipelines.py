"""Chains of policies behave like azure-core's runners, whatever fails in them."""

import asyncio
from typing import Any

import pytest
from azure.core.pipeline import AsyncPipeline, Pipeline
from azure.core.pipeline.policies import AsyncHTTPPolicy, HTTPPolicy, SansIOHTTPPolicy
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import HttpRequest
from either_client import ClientFactory

from azure.communication.identity._pipeline.pipelines import AsyncChainPipeline, ChainPipeline

STEPS = ["request", "response", "exception"]


class Noting(SansIOHTTPPolicy[Any, Any]):
    """Records its calls, and fails where a test says so."""

    def __init__(self, name: str, events: list[str], failures: set[str]) -> None:
        self._name = name
        self._events = events
        self._failures = failures

    def _note(self, step: str) -> str:
        self._events.append(f"{self._name} {step}")
        if f"{self._name} {step}" in self._failures:
            raise ValueError(f"{self._name} {step}")
        return "a result that nobody uses"

    def on_request(self, request: Any) -> Any:
        return self._note("request")

    def on_response(self, request: Any, response: Any) -> Any:
        return self._note("response")

    def on_exception(self, request: Any) -> Any:
        return self._note("exception")


class Awaitable(Noting):
    """Does the same in coroutines."""

    async def on_request(self, request: Any) -> None:
        await asyncio.sleep(0)
        self._note("request")

    async def on_response(self, request: Any, response: Any) -> None:
        await asyncio.sleep(0)
        self._note("response")

    async def on_exception(self, request: Any) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        self._note("exception")


class Through(HTTPPolicy[Any, Any]):
    def send(self, request: Any) -> Any:
        return self.next.send(request)


class AsyncThrough(AsyncHTTPPolicy[Any, Any]):
    async def send(self, request: Any) -> Any:
        return await self.next.send(request)


class Transport(HttpTransport[Any, Any]):
    def __init__(self, failures: set[str]) -> None:
        self._failures = failures

    def send(self, request: Any, **options: Any) -> Any:
        if "transport" in self._failures:
            raise ValueError("transport")

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __exit__(self, *exception: object) -> None: ...


class AsyncTransport(AsyncHttpTransport[Any, Any]):
    def __init__(self, failures: set[str]) -> None:
        self._failures = failures

    async def send(self, request: Any, **options: Any) -> Any:
        if "transport" in self._failures:
            raise ValueError("transport")

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def __aexit__(self, *exception: object) -> None: ...


def outcome(failures: set[str], flavour: str, in_chains: bool) -> tuple[list[str], str]:
    """The calls of the policies, and the exception."""
    events: list[str] = []
    is_async = flavour == "async"
    policies: list[Any] = [
        Noting("a", events, failures),
        SansIOHTTPPolicy(),
        (Awaitable if is_async else Noting)("b", events, failures),
        AsyncThrough() if is_async else Through(),
        None,
        Noting("c", events, failures),
        Noting("d", events, failures),
    ]
    request = HttpRequest("GET", "https://host/")
    try:
        if is_async:
            async_pipeline = AsyncChainPipeline if in_chains else AsyncPipeline[Any, Any]
            asyncio.run(async_pipeline(AsyncTransport(failures), policies).run(request))
        else:
            pipeline = ChainPipeline if in_chains else Pipeline[Any, Any]
            pipeline(Transport(failures), policies).run(request)
    except ValueError as error:
        return events, str(error)
    return events, ""


FAILURES = [
    set[str](),
    {"transport"},
    *({f"{name} {step}"} for name in "abcd" for step in STEPS),
    *({"transport", f"{name} exception"} for name in "abcd"),
    {"c response", "b exception"},
    {"d request", "c exception", "a exception"},
]


@pytest.mark.parametrize("failures", FAILURES, ids=lambda failures: ", ".join(sorted(failures)))
def test_a_chain_does_what_runners_do(failures: set[str], flavour: str) -> None:
    assert outcome(failures, flavour, True) == outcome(failures, flavour, False)


def test_without_failures_the_responses_come_in_reverse_order(flavour: str) -> None:
    requests = [f"{name} request" for name in "abcd"]
    responses = [f"{name} response" for name in "dcba"]
    assert outcome(set(), flavour, True) == (requests + responses, "")


@pytest.mark.parametrize("step", STEPS)
def test_a_policy_of_the_async_client_is_an_error_in_the_sync_one(step: str) -> None:
    class OneStep(SansIOHTTPPolicy[Any, Any]):
        """Is async in one step."""

    class Later:
        def __await__(self) -> Any: ...

    setattr(OneStep, f"on_{step}", lambda *arguments: Later())
    failures = {"transport"} if step == "exception" else set[str]()
    with pytest.raises(TypeError, match="OneStep is for the async client"):
        ChainPipeline(Transport(failures), [OneStep()]).run(HttpRequest("GET", "https://host/"))


def test_a_batch_is_refused(make_client: ClientFactory) -> None:
    batch = HttpRequest("POST", "/identities?api-version=2025-06-30")
    batch.set_multipart_mixed(HttpRequest("GET", "/"))
    with pytest.raises(TypeError, match="multipart/mixed"):
        make_client("https://host").send_request(batch)
