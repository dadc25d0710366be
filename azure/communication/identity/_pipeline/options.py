"""The keyword arguments that go through to the azure-core pipeline.

The one list of them: type checkers read it by ``Unpack``, and at run time a keyword that is not on
it is refused, so that a misspelt one does not go unnoticed.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, TypedDict

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import AsyncPipeline, Pipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    AsyncHTTPPolicy,
    HTTPPolicy,
    RetryMode,
    SansIOHTTPPolicy,
)
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport

from .._api_versions import ApiVersion, version_string
from .._shared.keywords import unknown_keyword

Policy = SansIOHTTPPolicy[Any, Any] | HTTPPolicy[Any, Any] | AsyncHTTPPolicy[Any, Any]


class PipelineOptions(TypedDict, total=False):
    """What can be set for a client, and for a single call.

    Times are in seconds.
    """

    headers: Mapping[str, str]
    request_id: str
    user_agent: str
    user_agent_overwrite: bool
    proxies: MutableMapping[str, str]
    logging_enable: bool
    logger: logging.Logger
    http_logging_level: int
    raw_request_hook: Callable[[PipelineRequest[Any]], object]
    raw_response_hook: Callable[[PipelineResponse[Any, Any]], object]
    retry_total: int
    retry_connect: int
    retry_read: int
    retry_status: int
    retry_backoff_factor: float
    retry_backoff_max: float
    timeout: float
    permit_redirects: bool
    redirect_max: int
    connection_timeout: float
    read_timeout: float
    connection_verify: bool | str
    connection_cert: str | tuple[str, str]
    tracing_attributes: Mapping[str, Any]


class RequestOptions(PipelineOptions, total=False):
    """What can be set for a single call."""

    api_version: str | ApiVersion
    params: Mapping[str, str]
    error_map: Mapping[int, type[HttpResponseError]]
    retry_on_methods: Iterable[str]
    enforce_https: bool
    tracing_options: Mapping[str, Any]
    merge_span: bool
    parent_span: Any


class BaseClientOptions(PipelineOptions, total=False):
    """What can be set for a client of either kind."""

    user_agent_use_env: bool
    sdk_moniker: str
    auto_request_id: bool
    retry_mode: RetryMode | str
    retry_on_status_codes: Sequence[int]
    redirect_remove_headers: Sequence[str]
    redirect_on_status_codes: Sequence[int]
    network_span_namer: Callable[[Any], str]
    instrumentation_config: Mapping[str, Any]
    additional_allowed_query_params: Iterable[str]
    connection_data_block_size: int
    use_env_settings: bool
    session: Any
    session_owner: bool
    policies: Sequence[Policy]
    per_call_policies: Policy | Iterable[Policy]
    per_retry_policies: Policy | Iterable[Policy]
    request_id_policy: Policy
    headers_policy: Policy
    user_agent_policy: Policy
    proxy_policy: Policy
    redirect_policy: Policy
    retry_policy: Policy
    custom_hook_policy: Policy
    logging_policy: Policy
    http_logging_policy: Policy


class ClientOptions(BaseClientOptions, total=False):
    """What can be set for the sync client."""

    transport: HttpTransport[Any, Any]
    pipeline: Pipeline[Any, Any]


class AsyncClientOptions(BaseClientOptions, total=False):
    """What can be set for the async client."""

    transport: AsyncHttpTransport[Any, Any]
    pipeline: AsyncPipeline[Any, Any]


def call_version(options: RequestOptions, client_version: str) -> str:
    """The API version that a call asks for.

    :raises TypeError: The version of the options is not a str.
    :raises ValueError: The version of the options cannot be one.
    """
    version = options.get("api_version", client_version)
    return version if version is client_version else version_string(version)


_FOR_A_CLIENT = ClientOptions.__annotations__.keys()
_FOR_A_CALL = RequestOptions.__annotations__.keys()
# What some methods name themselves. It gets here when it is misspelt, or given to another method.
_OF_METHODS = frozenset(["token_expires_in", "custom_id", "client_ids"])
# Set by the pipeline itself.
_KNOWN_TO_TRANSPORTS = _FOR_A_CALL | {"stream", "insecure_domain_change"}


def refuse_unknown_client_options(options: Mapping[str, Any]) -> None:
    """Refuses keyword arguments of a client that nothing would read.

    :raises TypeError: There is one. The message names the nearest one that exists.
    """
    for name in options.keys() - _FOR_A_CLIENT:
        raise TypeError(
            unknown_keyword(name, "CommunicationIdentityClient", {*_FOR_A_CLIENT, "api_version"})
        )


class UnknownOptionsPolicy(SansIOHTTPPolicy[Any, Any]):
    """Refuses keyword arguments of a call that nothing read.

    It comes after the policies of the user, which may take arguments of their own, and before
    anything is logged, authenticated or sent.
    """

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Looks at the arguments that are left.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :raises TypeError: One is not known. The message names the nearest one that is.
        """
        for name in request.context.options.keys() - _KNOWN_TO_TRANSPORTS:
            raise TypeError(unknown_keyword(name, "The call", _FOR_A_CALL | _OF_METHODS))
