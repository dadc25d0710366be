"""Redirects, which cost nothing where there are none.

The policies of azure-core parse the URL of each request, in case its host is redirected to another.
These begin when there is a redirect, and from there on are those of azure-core.
"""

from copy import copy
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    AsyncHTTPPolicy,
    AsyncRedirectPolicy,
    HTTPPolicy,
    RedirectPolicy,
)

Request = PipelineRequest[Any]
Response = PipelineResponse[Any, Any]


class LateRedirectPolicy(RedirectPolicy[Any, Any]):
    """Follows redirects as its base class does, whose options it takes."""

    def send(self, request: Request) -> Response:
        """Sends a request, and follows the redirect if it is answered with one.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :rtype: ~azure.core.pipeline.PipelineResponse
        :raises ~azure.core.exceptions.TooManyRedirectsError: There is no end to them.
        """
        settings = self.configure_redirects(request.context.options)
        response = self.next.send(request)
        if not (settings["allow"] and self.get_redirect_location(response)):
            return response
        following = copy(self)
        following.next = _Answered(response, self.next)
        _put_back(settings, request)
        return super(LateRedirectPolicy, following).send(request)


class AsyncLateRedirectPolicy(AsyncRedirectPolicy[Any, Any]):
    """Follows redirects as its base class does, whose options it takes."""

    async def send(self, request: Request) -> Response:
        """Sends a request, and follows the redirect if it is answered with one.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :rtype: ~azure.core.pipeline.PipelineResponse
        :raises ~azure.core.exceptions.TooManyRedirectsError: There is no end to them.
        """
        settings = self.configure_redirects(request.context.options)
        response: Response = await self.next.send(request)
        if not (settings["allow"] and self.get_redirect_location(response)):
            return response
        following = copy(self)
        following.next = _AsyncAnswered(response, self.next)
        _put_back(settings, request)
        return await super(AsyncLateRedirectPolicy, following).send(request)


def _put_back(settings: dict[str, Any], request: Request) -> None:
    """Lets the base class read the settings of the call once more."""
    request.context.options["permit_redirects"] = settings["allow"]
    request.context.options["redirect_max"] = settings["redirects"]


class _Answered(HTTPPolicy[Any, Any]):
    """What comes next in the pipeline, which has answered the first request already."""

    def __init__(self, first: Response, following: HTTPPolicy[Any, Any]) -> None:
        self._answers = [first]
        self.next = following

    def send(self, request: Request) -> Response:
        return self._answers.pop() if self._answers else self.next.send(request)


class _AsyncAnswered(AsyncHTTPPolicy[Any, Any]):
    """The same in an async pipeline."""

    def __init__(self, first: Response, following: AsyncHTTPPolicy[Any, Any]) -> None:
        self._answers = [first]
        self.next = following

    async def send(self, request: Request) -> Response:
        if self._answers:
            return self._answers.pop()
        response: Response = await self.next.send(request)
        return response
