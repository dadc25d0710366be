"""Pipelines that run consecutive ``SansIOHTTPPolicy`` in one loop, and prepare no batches.

azure-core nests a call, or a coroutine, for each of these policies, and asks each request for the
requests of a batch, which this service does not have. ``benchmarks/clients/own_pieces.py`` prints
what that costs. A chain does what the nested calls do: the same order, and ``on_exception`` of
those policies whose ``on_request`` has returned and whose ``on_response`` has not begun.
"""

from collections.abc import Coroutine, Iterable, Sequence
from inspect import isawaitable
from itertools import groupby
from typing import Any

from azure.core.pipeline import (
    AsyncPipeline,
    Pipeline,
    PipelineContext,
    PipelineRequest,
    PipelineResponse,
)
from azure.core.pipeline.policies import AsyncHTTPPolicy, HTTPPolicy, SansIOHTTPPolicy

SansIO = SansIOHTTPPolicy[Any, Any]
Request = PipelineRequest[Any]
Response = PipelineResponse[Any, Any]


class ChainPipeline(Pipeline[Any, Any]):
    """A pipeline of the sync client.

    :param transport: The transport.
    :param policies: The policies. None is left out.
    """

    def __init__(self, transport: Any, policies: Iterable[Any]) -> None:
        chains = _chained(policies, PolicyChain)
        super().__init__(transport, chains)
        self._first, self._sender = chains[0], transport

    def run(self, request: Any, **kwargs: Any) -> Response:
        """Sends a request through the policies."""
        context = PipelineContext(self._sender, **kwargs)
        response: Response = self._first.send(PipelineRequest(request, context))
        return response


class AsyncChainPipeline(AsyncPipeline[Any, Any]):
    """A pipeline of the async client.

    :param transport: The transport.
    :param policies: The policies. None is left out.
    """

    def __init__(self, transport: Any, policies: Iterable[Any]) -> None:
        chains = _chained(policies, AsyncPolicyChain)
        super().__init__(transport, chains)
        self._first, self._sender = chains[0], transport

    # Not a coroutine of its own, which pyright would prefer: that would be one more to run.
    def run(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, request: Any, **kwargs: Any
    ) -> Coroutine[Any, Any, Response]:
        """Sends a request through the policies."""
        context = PipelineContext(self._sender, **kwargs)
        response: Coroutine[Any, Any, Response]
        response = self._first.send(PipelineRequest(request, context))
        return response


def _chained(policies: Iterable[Any], new_chain: Any) -> list[Any]:
    result: list[Any] = []
    wanted = (policy for policy in policies if policy)
    for is_sans_io, group in groupby(wanted, lambda policy: isinstance(policy, SansIOHTTPPolicy)):
        members = list(group)
        result.extend([new_chain(members)] if is_sans_io else members)
    return result


class _Chain:
    def __init__(self, policies: Sequence[SansIO]) -> None:
        super().__init__()
        self.policies = policies
        # Most policies ignore responses. With its index, for on_exception.
        self.on_the_way_back = [
            (index, policy)
            for index, policy in reversed(list(enumerate(policies)))
            if getattr(policy.on_response, "__func__", None) is not SansIOHTTPPolicy.on_response
        ]


class PolicyChain(_Chain, HTTPPolicy[Any, Any]):
    """Consecutive policies of a sync pipeline."""

    def send(self, request: Request) -> Response:
        """Runs the policies around the rest of the pipeline.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :rtype: ~azure.core.pipeline.PipelineResponse
        :raises TypeError: If a policy is async.
        """
        inside = 0
        try:
            for policy in self.policies:
                if (result := policy.on_request(request)) is not None:
                    _refuse_awaitable(policy, result)
                inside += 1
            response = self.next.send(request)
            for index, policy in self.on_the_way_back:
                inside = index
                if (result := policy.on_response(request, response)) is not None:
                    _refuse_awaitable(policy, result)
        except Exception:
            self._unwind(request, inside)
            raise
        return response

    def _unwind(self, request: Request, inside: int) -> None:
        if inside:
            policy = self.policies[inside - 1]
            try:
                _refuse_awaitable(policy, policy.on_exception(request))  # type: ignore[func-returns-value]
            finally:
                self._unwind(request, inside - 1)


def _refuse_awaitable(policy: SansIO, result: object) -> None:
    if isawaitable(result):
        raise TypeError(f"{type(policy).__name__} is for the async client: it returns awaitables.")


class AsyncPolicyChain(_Chain, AsyncHTTPPolicy[Any, Any]):
    """Consecutive policies of an async pipeline."""

    async def send(self, request: Request) -> Response:
        """Runs the policies around the rest of the pipeline.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :rtype: ~azure.core.pipeline.PipelineResponse
        """
        inside = 0
        try:
            for policy in self.policies:
                if (result := policy.on_request(request)) is not None and isawaitable(result):
                    await result
                inside += 1
            response: Response = await self.next.send(request)
            for index, policy in self.on_the_way_back:
                inside = index
                result = policy.on_response(request, response)
                if result is not None and isawaitable(result):
                    await result
        except Exception:
            await self._unwind(request, inside)
            raise
        return response

    async def _unwind(self, request: Request, inside: int) -> None:
        if inside:
            policy = self.policies[inside - 1]
            try:
                result: object = policy.on_exception(request)  # type: ignore[func-returns-value]
                if isawaitable(result):
                    await result
            finally:
                await self._unwind(request, inside - 1)
