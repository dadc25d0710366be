"""Policies of the async client that only look at requests and responses, in one loop.

azure-core nests a coroutine for each ``SansIOHTTPPolicy``, which costs 5 to 10 % of a call;
``benchmarks/clients/own_pieces.py`` prints the figure. A chain does what the coroutines do: the
same order, and ``on_exception`` of those policies whose ``on_request`` has returned and whose
``on_response`` has not begun. In a sync pipeline azure-core's runners cost less than 5 %.
"""

from collections.abc import Iterable, Sequence
from inspect import isawaitable
from itertools import groupby
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy, SansIOHTTPPolicy

SansIO = SansIOHTTPPolicy[Any, Any]
Request = PipelineRequest[Any]
Response = PipelineResponse[Any, Any]


def chained(policies: Iterable[Any]) -> list[Any]:
    """Policies in their order, consecutive ones in a chain.

    :param policies: The policies. None is left out.
    """
    result: list[Any] = []
    wanted = (policy for policy in policies if policy)
    for is_sans_io, group in groupby(wanted, lambda policy: isinstance(policy, SansIOHTTPPolicy)):
        members = list(group)
        result.extend([AsyncPolicyChain(members)] if is_sans_io else members)
    return result


class AsyncPolicyChain(AsyncHTTPPolicy[Any, Any]):
    """A chain in an async pipeline.

    :param policies: The policies.
    """

    def __init__(self, policies: Sequence[SansIO]) -> None:
        super().__init__()
        self.policies = policies
        # Most policies ignore responses. With its index, for on_exception.
        self._on_the_way_back = [
            (index, policy)
            for index, policy in reversed(list(enumerate(policies)))
            if getattr(policy.on_response, "__func__", None) is not SansIOHTTPPolicy.on_response
        ]

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
