"""Policies that keep user ids out of logs, spans and exceptions, for ``redact_user_ids``."""

import json
import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

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
        """Reports the exception."""
        return self._policy.on_exception(_viewed(request))


class ErrorsWithoutUserIds(SansIOHTTPPolicy[Any, Any]):
    """Redacts the exceptions of the transport, and the error responses that become exceptions.

    It stands next to the transport, so that all other policies see what it has redacted.
    """

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        """Replaces an error response by a view."""
        if response.http_response.status_code >= 400:
            response.http_response = _View(response.http_response)

    def on_exception(self, request: PipelineRequest[Any]) -> None:
        """Redacts the exception that is being raised, and its causes."""
        _redact(sys.exc_info()[1], set())


def redact_urllib3_logs() -> None:
    """Redacts the URLs that urllib3 logs at DEBUG and when it retries."""
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_without_user_ids)  # the same filter is added once


def _without_user_ids(record: logging.LogRecord) -> bool:
    record.msg, record.args = without_user_ids(record.getMessage()), None
    return True


def _redact(error: BaseException | None, seen: set[int]) -> None:
    if error is None or id(error) in seen:  # causes may form a circle
        return
    seen.add(id(error))
    for name in ("message", "exc_msg", "strerror", "filename"):
        with suppress(AttributeError):
            setattr(error, name, _redacted(getattr(error, name)))
    error.args = tuple(map(_redacted, error.args))
    inner = getattr(error, "inner_exception", None)
    for other in (error.__cause__, error.__context__, inner, *error.args):
        if isinstance(other, BaseException):
            _redact(other, seen)


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
        return (lambda *args: _redacted(value(*args))) if callable(value) else _redacted(value)

    def __repr__(self) -> str:
        return without_user_ids(repr(self._original))

    @property
    def headers(self) -> "_Headers":
        return _Headers(self._original.headers)

    @property
    def request(self) -> "_View":
        return _View(self._original.request)

    def json(self) -> Any:
        return json.loads(self.text())

    def raise_for_status(self) -> None:
        view: Any = self  # acts as a response
        if self.status_code >= 400:
            raise HttpResponseError(response=view)


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
    if isinstance(value, bytes):
        text = value.decode("utf-8", "surrogateescape")
        return without_user_ids(text).encode("utf-8", "surrogateescape")
    return without_user_ids(value) if isinstance(value, str) else value
