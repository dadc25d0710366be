"""A chain of policies behaves like azure-core's runners, whatever fails in it."""

import asyncio
from typing import Any

import pytest
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import AsyncHTTPPolicy, SansIOHTTPPolicy
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import HttpRequest

from azure.communication.identity._pipeline.pipelines import (
    AsyncPolicyChain,
    chained,
)

STEPS = ["request", "response", "exception"]


class Noting(SansIOHTTPPolicy[Any, Any]):
    """Records its calls, and fails where a test says so."""

    def __init__(self, name: str, events: list[str], failures: set[str]) -> None:
        self._name = name
        self._events = events
        self._failures = failures

    def _note(self, step: str) -> None:
        self._events.append(f"{self._name} {step}")
        if f"{self._name} {step}" in self._failures:
            raise ValueError(f"{self._name} {step}")

    def on_request(self, request: Any) -> None:
        self._note("request")

    def on_response(self, request: Any, response: Any) -> None:
        self._note("response")

    def on_exception(self, request: Any) -> None:
        self._note("exception")


class Awaitable(Noting):
    """Does the same in coroutines."""

    async def on_request(self, request: Any) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        self._note("request")

    async def on_response(  # type: ignore[override]
        self, request: Any, response: Any
    ) -> None:
        await asyncio.sleep(0)
        self._note("response")

    async def on_exception(self, request: Any) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        self._note("exception")


class AsyncThrough(AsyncHTTPPolicy[Any, Any]):
    async def send(self, request: Any) -> Any:
        return await self.next.send(request)


class AsyncTransport(AsyncHttpTransport[Any, Any]):
    def __init__(self, failures: set[str]) -> None:
        self._failures = failures

    async def send(self, request: Any, **options: Any) -> Any:
        if "transport" in self._failures:
            raise ValueError("transport")

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def __aexit__(self, *exception: object) -> None: ...


def outcome(failures: set[str], in_chains: bool) -> tuple[list[str], str]:
    """The calls of the policies, and the exception."""
    events: list[str] = []
    policies: list[Any] = [
        Noting("a", events, failures),
        SansIOHTTPPolicy(),
        Awaitable("b", events, failures),
        AsyncThrough(),
        None,
        Noting("c", events, failures),
        Noting("d", events, failures),
    ]
    if in_chains:
        policies = chained(policies)
        kinds = [type(policy) for policy in policies]
        assert kinds == [AsyncPolicyChain, AsyncThrough, AsyncPolicyChain]
    request = HttpRequest("GET", "https://host/")
    try:
        asyncio.run(AsyncPipeline(AsyncTransport(failures), policies).run(request))
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
def test_a_chain_does_what_runners_do(failures: set[str]) -> None:
    assert outcome(failures, True) == outcome(failures, False)


def test_without_failures_the_responses_come_in_reverse_order() -> None:
    requests = [f"{name} request" for name in "abcd"]
    responses = [f"{name} response" for name in "dcba"]
    assert outcome(set(), True) == (requests + responses, "")
