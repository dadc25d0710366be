"""Policies that only look at requests and responses, in one loop instead of one inside another.

azure-core puts each ``SansIOHTTPPolicy`` into a runner of its own, and the runners into each other.
A chain does what they do: the same order, and ``on_exception`` of exactly those policies whose
``on_request`` is done and whose ``on_response`` has not begun.
"""

from collections.abc import Iterable, Sequence
from inspect import isawaitable
from itertools import groupby
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy, HTTPPolicy, SansIOHTTPPolicy

SansIO = SansIOHTTPPolicy[Any, Any]
Request = PipelineRequest[Any]
Response = PipelineResponse[Any, Any]


def chained(policies: Iterable[Any], *, is_async: bool) -> list[Any]:
    """Policies in their order, with those that follow one another in a chain.

    :param policies: Policies. None is left out.
    :keyword bool is_async: Whether they are for an async pipeline.
    """
    result: list[Any] = []
    chain = AsyncPolicyChain if is_async else PolicyChain
    wanted = (policy for policy in policies if policy)
    for is_sans_io, group in groupby(wanted, lambda policy: isinstance(policy, SansIOHTTPPolicy)):
        members = list(group)
        result.extend([chain(members)] if is_sans_io else members)
    return result


def listed(one_or_more: Any) -> list[Any]:
    """Policies as callers may pass them: none, one, or several."""
    if one_or_more is None:
        return []
    return list(one_or_more) if isinstance(one_or_more, Iterable) else [one_or_more]


class _Chain:
    def __init__(self, policies: Sequence[SansIO]) -> None:
        self.policies = policies
        # Most policies do nothing with responses. With its index, for on_exception.
        self._on_the_way_back = [
            (index, policy)
            for index, policy in reversed(list(enumerate(policies)))
            if getattr(policy.on_response, "__func__", None) is not SansIOHTTPPolicy.on_response
        ]


class PolicyChain(_Chain, HTTPPolicy[Any, Any]):
    """A chain in a sync pipeline."""

    def send(self, request: Request) -> Response:
        """Runs the policies around what comes next.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :rtype: ~azure.core.pipeline.PipelineResponse
        :raises TypeError: A policy is for async pipelines.
        """
        inside = 0
        try:
            for policy in self.policies:
                if (result := policy.on_request(request)) is not None:
                    _refuse_awaitable(policy, result)
                inside += 1
            response = self.next.send(request)
            for index, policy in self._on_the_way_back:
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
                result: object = policy.on_exception(request)  # type: ignore[func-returns-value]
                _refuse_awaitable(policy, result)
            finally:
                self._unwind(request, inside - 1)


class AsyncPolicyChain(_Chain, AsyncHTTPPolicy[Any, Any]):
    """A chain in an async pipeline."""

    async def send(self, request: Request) -> Response:
        """Runs the policies around what comes next.

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
            for index, policy in self._on_the_way_back:
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


def _refuse_awaitable(policy: SansIO, result: object) -> None:
    if isawaitable(result):
        raise TypeError(
            f"{type(policy).__name__} is for async pipelines: it returned an awaitable."
        )
