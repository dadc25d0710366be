"""Policies that keep user ids out of logs, spans and exceptions, for ``redact_user_ids``."""

import json
import logging
import sys
from collections.abc import Awaitable, Iterator, MutableMapping
from contextlib import suppress
from functools import partial
from inspect import isawaitable
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import RequestHistory, SansIOHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse

from .user_ids import without_user_ids


class WithoutUserIds(SansIOHTTPPolicy[Any, Any]):
    """Runs a policy that reports requests, on views of them without user ids.

    :param policy: A policy that logs or traces.
    :raises TypeError: If the policy cannot run on views.
    """

    def __init__(self, policy: SansIOHTTPPolicy[Any, Any]) -> None:
        super().__init__()
        if not isinstance(policy, SansIOHTTPPolicy):
            raise TypeError(
                "redact_user_ids needs logging policies that are a SansIOHTTPPolicy, not "
                f"{type(policy).__name__}."
            )
        self._policy = policy

    def on_request(self, request: PipelineRequest[Any]) -> Any:
        """Reports the request."""
        return self._policy.on_request(_viewed(request))

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> Any:
        """Reports the response."""
        view: Any = _View(response.http_response)
        viewed = _viewed(request)
        return self._policy.on_response(
            viewed, PipelineResponse(viewed.http_request, view, response.context)
        )

    def on_exception(self, request: PipelineRequest[Any]) -> Any:
        """Redacts the exception, for policies of the caller too, and reports it."""
        _redact(sys.exc_info()[1], set())
        return self._policy.on_exception(_viewed(request))


class ErrorsWithoutUserIds(SansIOHTTPPolicy[Any, Any]):
    """Redacts the exceptions of the other policies, and those that are made of a response.

    The response itself is not changed: ``send_request`` and hooks return what the service sent.
    """

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        """Sets what errors show of the response."""
        shown, http_response = partial(_copied, request.http_request), response.http_response
        http_response.shown_in_errors = shown  # the operations read it
        if http_response.status_code >= 400:
            http_response.raise_for_status = partial(_raise_for_status, shown, http_response)

    def on_exception(self, request: PipelineRequest[Any]) -> None:
        """Redacts the exception that is being raised, and its causes."""
        _redact(sys.exc_info()[1], set())


def redact_urllib3_logs() -> None:
    """Redacts the URLs that urllib3 logs at DEBUG and when it retries, in the whole process."""
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_without_user_ids)  # the same filter is added once


def _without_user_ids(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    if (redacted := without_user_ids(message)) != message:
        record.msg, record.args = redacted, None
    return True


def _redact(error: Any, seen: set[int]) -> None:
    if not isinstance(error, BaseException) or id(error) in seen:  # causes may form a circle
        return
    seen.add(id(error))
    for name in ("strerror", "filename", *vars(error)):
        with suppress(AttributeError):
            setattr(error, name, _redacted(getattr(error, name)))
    error.args = _redacted(error.args)
    if isinstance(error, HttpResponseError) and error.response:
        error.error = HttpResponseError(response=error.response).error
    for other in (error.__cause__, error.__context__, *error.args, *vars(error).values()):
        _redact(other, seen)


def _raise_for_status(shown: Any, response: Any) -> None:
    if response.status_code >= 400:
        raise HttpResponseError(response=shown(response))


def _copied(request: Any, response: Any) -> Any:
    """A response that shows no user id, and is not connected to the original."""
    if isinstance(response, AsyncHttpResponse) and "aiohttp" in sys.modules:
        from .._transports._aiohttp_response import AiohttpResponse

        return AiohttpResponse.copied(response, _copied_request(request), _redacted)
    from .._transports._urllib3_response import Urllib3Response

    return Urllib3Response.copied(response, _copied_request(request), _redacted)


def _copied_request(request: Any) -> HttpRequest:
    content = request.content if isinstance(request.content, str | bytes) else None
    url, headers = _redacted(request.url), _redacted(dict(request.headers))
    return HttpRequest(request.method, url, headers=headers, content=_redacted(content))


def _viewed(request: PipelineRequest[Any]) -> PipelineRequest[Any]:
    view: Any = _View(request.http_request)
    return PipelineRequest(view, request.context)


class _View:
    """A request or response that is read without user ids. It reads the original each time."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # as copy and pickle ask for before there is an original
            raise AttributeError(name)
        value = getattr(self._original, name)
        if not callable(value):
            return _redacted(value)
        return lambda *args, **kwargs: _redacted(value(*args, **kwargs))

    def __repr__(self) -> str:
        return without_user_ids(repr(self._original))

    @property
    def headers(self) -> "_Headers":
        return _Headers(self._original.headers)

    def json(self) -> Any:
        return json.loads(self.text())

    def raise_for_status(self) -> None:
        _raise_for_status(partial(_copied, self._original.request), self._original)


class _Headers(MutableMapping[str, str]):
    def __init__(self, original: MutableMapping[str, str]) -> None:
        self._original = original

    def __getitem__(self, name: str) -> str:
        return without_user_ids(self._original[name])

    def __setitem__(self, name: str, value: str) -> None:
        self._original[name] = value

    def __delitem__(self, name: str) -> None:
        del self._original[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._original)

    def __len__(self) -> int:
        return len(self._original)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return without_user_ids(value)
    if isinstance(value, bytes):
        text = value.decode("utf-8", "surrogateescape")
        return without_user_ids(text).encode("utf-8", "surrogateescape")
    if type(value) is dict:
        return {_redacted(name): _redacted(each) for name, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_redacted, value))
    if isinstance(value, RequestHistory):
        vars(value).update(_redacted(vars(value)))
    if isinstance(value, HttpResponse | AsyncHttpResponse):
        return _copied(value.request, value)
    if isinstance(value, HttpRequest):
        return _copied_request(value)
    if isawaitable(value):
        return _when_there(value)
    return value


async def _when_there(value: Awaitable[Any]) -> Any:
    return _redacted(await value)
