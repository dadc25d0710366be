"""Translates the exceptions of azure-core's transports to those of this library's.

Their exceptions show bytes of responses, tokens included, and passwords of proxies. They also raise
ServiceRequestError when a connection breaks after the request was sent, which would let a creation
be repeated.
"""

import asyncio
import sys
import zlib
from collections.abc import Mapping
from http.client import HTTPException
from ssl import SSLCertVerificationError, SSLError
from typing import Any

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy, HTTPPolicy, SansIOHTTPPolicy
from azure.core.pipeline.transport import AsyncHttpTransport

from .._shared.urls import split_url
from .._transports._attempt import Attempt
from .._transports._failures import chain, failure
from .._transports._matching import MISMATCH, REQUEST_ID, is_mismatch
from .._transports._settings import Timeouts

Request = PipelineRequest[Any]
Response = PipelineResponse[Any, Any]
Kinds = tuple[type[BaseException], ...]

_BARE: Kinds = (
    HTTPException,
    ConnectionError,
    TimeoutError,
    asyncio.TimeoutError,  # another class on Python 3.10
    SSLError,
    UnicodeError,
    ArithmeticError,
    MemoryError,
    RecursionError,
    zlib.error,
)


class MatchingAnswerPolicy(SansIOHTTPPolicy[Any, Any]):
    """Rejects a response that echoes the id of another request.

    Nothing else sees such a response. The transports of this library check it themselves, and close
    the connection.
    """

    def on_response(self, request: Request, response: Response) -> None:
        """Compares the ids.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :param response: The response.
        :type response: ~azure.core.pipeline.PipelineResponse
        :raises ~azure.core.exceptions.ServiceResponseError: If the ids differ.
        """
        sent = request.http_request.headers.get(REQUEST_ID)
        if is_mismatch(sent, response.http_response.headers.get(REQUEST_ID)):
            raise ServiceResponseError(f"The response is not used: {MISMATCH}")


class _Translator:
    """Translates exceptions.

    :param unsent: What the HTTP library raises only if nothing was sent.
    :param timeouts: What it raises when time runs out.
    :param library: What else the HTTP library raises.
    :param options: What the transport gets with each request.
    """

    def __init__(
        self, unsent: Kinds, timeouts: Kinds, library: Kinds, options: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self.options = options
        self._unsent = unsent
        self._timeouts: Kinds = (TimeoutError, asyncio.TimeoutError, *timeouts)
        self.caught: Kinds = (
            ServiceRequestError,
            ServiceResponseError,
            HttpResponseError,  # of a body; there is no policy below that looks at statuses
            *library,
        )

    def take_back(self, request: Request) -> None:
        """Removes the options, which would count as unknown ones of the caller on a retry."""
        for name in self.options:
            request.context.options.pop(name, None)

    def translated(self, error: BaseException, request: Request) -> AzureError:
        """The exception to raise instead.

        :param error: The exception.
        :param request: The request.
        """
        # azure-core keeps what the HTTP library raised.
        inner = getattr(error, "inner_exception", None) or error
        errors = list(chain(inner))
        attempt = Attempt(set(), Timeouts(None, None), None, is_streamed=False)
        attempt.is_sent = not any(isinstance(each, self._unsent) for each in errors)
        origin, host, _ = split_url(request.http_request.url)
        return failure(
            inner,
            attempt,
            f"{origin.partition('://')[0]}://{host}",
            is_timeout=any(isinstance(each, self._timeouts) for each in errors),
        )


class StockErrorsPolicy(_Translator, HTTPPolicy[Any, Any]):
    """Translates what RequestsTransport raises."""

    def send(self, request: Request) -> Response:
        """Sends a request.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :rtype: ~azure.core.pipeline.PipelineResponse
        :raises ~azure.core.exceptions.ServiceRequestError: If the request could not be sent.
        :raises ~azure.core.exceptions.ServiceResponseError: If there is no complete response.
        """
        request.context.options.update(self.options)
        try:
            return self.next.send(request)
        except self.caught as error:
            transport: Any = request.context.transport
            if type(error) is ValueError and transport.session is None:
                raise  # it is closed
            translated = self.translated(error, request)
        finally:
            self.take_back(request)
        # Not while the first one is handled, which would be shown with it.
        raise translated


class AsyncStockErrorsPolicy(_Translator, AsyncHTTPPolicy[Any, Any]):
    """Translates what AioHttpTransport and the async transports of requests raise."""

    async def send(self, request: Request) -> Response:
        """Sends a request.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :rtype: ~azure.core.pipeline.PipelineResponse
        :raises ~azure.core.exceptions.ServiceRequestError: If the request could not be sent.
        :raises ~azure.core.exceptions.ServiceResponseError: If there is no complete response.
        """
        request.context.options.update(self.options)
        try:
            response: Response = await self.next.send(request)
            return response
        except self.caught as error:
            translated = self.translated(error, request)
        finally:
            self.take_back(request)
        raise translated


def policies_for(transport: object) -> list[Any]:
    """The policies that a transport needs.

    :param transport: A transport that is not of this library.
    """
    policies: list[Any] = [MatchingAnswerPolicy()]
    # What has not been imported has made no transport.
    if "requests" in sys.modules:
        policies += _of_requests(transport)
    if "aiohttp" in sys.modules:
        policies += _of_aiohttp(transport)
    return policies


def _of_requests(transport: object) -> list[Any]:
    import requests
    from azure.core.pipeline.transport import RequestsTransport
    from urllib3 import exceptions

    if not isinstance(transport, RequestsTransport):
        return []
    is_async = isinstance(transport, AsyncHttpTransport)
    return [
        (AsyncStockErrorsPolicy if is_async else StockErrorsPolicy)(
            (
                requests.ConnectTimeout,
                requests.exceptions.InvalidURL,
                requests.exceptions.ProxyError,
                exceptions.ConnectTimeoutError,
                exceptions.LocationParseError,
                exceptions.NewConnectionError,
                SSLCertVerificationError,
            ),
            (requests.Timeout, exceptions.ReadTimeoutError),
            (requests.RequestException, exceptions.HTTPError, ValueError, *_BARE),
            # requests looks into .netrc for credentials, which would replace the signature, unless
            # some are set: here, a callable that adds none.
            {"auth": _unchanged},
        )
    ]


def _unchanged(prepared_request: Any) -> Any:
    return prepared_request


def _of_aiohttp(transport: object) -> list[Any]:
    import aiohttp
    from azure.core.pipeline.transport import AioHttpTransport

    if not isinstance(transport, AioHttpTransport):
        return []
    unsent = (
        aiohttp.ClientConnectorError,
        aiohttp.ClientHttpProxyError,
        aiohttp.ConnectionTimeoutError,
        aiohttp.InvalidURL,
    )
    return [AsyncStockErrorsPolicy(unsent, (), (aiohttp.ClientError, *_BARE), {})]
