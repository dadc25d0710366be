"""Logs: the trace at DEBUG without secrets, and the headers that support asks for at INFO."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HttpLoggingPolicy, NetworkTraceLoggingPolicy
from azure.core.utils import case_insensitive_dict

# Support asks for the first two; the last tells which API versions the service knows.
_SUPPORT_HEADERS = ("MS-CV", "X-Azure-Ref", "api-supported-versions")
_REDACTED = "REDACTED"
_SECRET_HEADERS = frozenset(
    [
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-ms-authorization-auxiliary",
    ]
)
# In text and not in parsed JSON, so that truncated bodies are redacted too.
_JSON_FIELD = r'("token"\s*:\s*")(?:[^"\\]|\\.)*'
# A signed token has three parts. An encrypted one has five; the second may be empty.
_JWT = r"\beyJ[\w-]+(?:\.[\w-]*)+"


class RedactedTraceLoggingPolicy(NetworkTraceLoggingPolicy):
    """Logs like its base class, with credentials, signatures and tokens redacted."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Logs the request.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        """
        if not request.context.options.get("logging_enable", self.enable_http_logger):
            super().on_request(request)  # which takes the option
            return
        redacted: Any = _RedactedRequest(request.http_request)
        super().on_request(PipelineRequest(redacted, request.context))

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        """Logs the response.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :param response: The response.
        :type response: ~azure.core.pipeline.PipelineResponse
        """
        if not response.context.get("logging_enable"):
            return
        redacted: Any = _RedactedResponse(response.http_response)
        super().on_response(
            request, PipelineResponse(response.http_request, redacted, response.context)
        )


# Stand-ins with the attributes that the base class reads. Evaluated lazily: nothing is redacted
# unless it is logged.


class _RedactedRequest:
    def __init__(self, http_request: Any) -> None:
        self._http_request = http_request

    @property
    def url(self) -> str:
        return redact(self._http_request.url)

    @property
    def method(self) -> str:
        method: str = self._http_request.method
        return method

    @property
    def headers(self) -> MutableMapping[str, str]:
        return _redacted_headers(self._http_request.headers)

    @property
    def body(self) -> Any:
        body = self._http_request.body
        return redact(_text(body)) if isinstance(body, bytes | str) else body


class _RedactedResponse:
    def __init__(self, http_response: Any) -> None:
        self._http_response = http_response

    @property
    def status_code(self) -> int:
        status: int = self._http_response.status_code
        return status

    @property
    def headers(self) -> MutableMapping[str, str]:
        return _redacted_headers(self._http_response.headers)

    def text(self) -> str:
        try:
            text: str = self._http_response.text()
        except UnicodeDecodeError as error:
            # The base class would log the exception, and with it the whole body.
            text = _text(error.object)
        return redact(text)


def redact(text: str) -> str:
    """Removes tokens from a text.

    :param str text: JSON, or any other text.
    :rtype: str
    """
    return re.sub(_JWT, _REDACTED, re.sub(_JSON_FIELD, rf"\1{_REDACTED}", text))


def _redacted_headers(headers: Mapping[str, str]) -> MutableMapping[str, str]:
    return case_insensitive_dict(
        {
            name: _REDACTED if name.lower() in _SECRET_HEADERS else redact(value)
            for name, value in headers.items()
        }
    )


def _text(body: bytes | str) -> str:
    return body if isinstance(body, str) else body.decode("utf-8", "replace")


def new_http_logging_policy(**options: Any) -> HttpLoggingPolicy:
    """azure-core's policy for INFO, which also shows the headers that support asks for.

    :param options: The options of the client.
    """
    policy: HttpLoggingPolicy = HttpLoggingPolicy(**options)
    policy.allowed_header_names.update(_SUPPORT_HEADERS)
    return policy
