"""The keyword arguments that clients and calls pass to the azure-core pipeline.

The only list of them: type checkers and editors read it through ``Unpack``, and a keyword that is
not listed is a TypeError. Times are in seconds.
"""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from logging import Logger
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

from .._api_versions import ApiVersion

Policy = SansIOHTTPPolicy[Any, Any] | HTTPPolicy[Any, Any] | AsyncHTTPPolicy[Any, Any]


class PipelineOptions(TypedDict, total=False):
    """Options of a client and of a single call. A call's option takes precedence."""

    headers: Mapping[str, str]
    """Headers to add to each request. Default: none."""
    request_id: str
    """The ``x-ms-client-request-id`` of each request. Default: a random GUID per call."""
    user_agent: str
    """Text to put before the User-Agent. Default: none."""
    user_agent_overwrite: bool
    """Whether ``user_agent`` replaces the User-Agent. Default: False."""
    proxies: MutableMapping[str, str]
    """Proxies by scheme, such as ``{"https": "http://proxy:3128"}``. Default: those of the
    environment."""
    logging_enable: bool
    """Whether to log requests and responses at DEBUG, with secrets redacted. Default: False."""
    logger: Logger
    """The logger for the summary of requests and responses. Default: azure-core's."""
    http_logging_level: int
    """The level of that summary. Default: ``logging.INFO``."""
    raw_request_hook: Callable[[PipelineRequest[Any]], object]
    """A function to call with each request, after it is signed. Default: none."""
    raw_response_hook: Callable[[PipelineResponse[Any, Any]], object]
    """A function to call with each response. Default: none."""
    retry_total: int
    """How often to repeat a request, at most. 0 sends exactly one request. Default: 10."""
    retry_connect: int
    """How often to repeat a request that was not sent. Default: 3."""
    retry_read: int
    """How often to repeat a request without a complete response. Default: 3."""
    retry_status: int
    """How often to repeat a request after an error response. Default: 3."""
    retry_backoff_factor: float
    """The unit of the pauses between attempts, in seconds. Default: 0.8."""
    retry_backoff_max: float
    """The longest pause between attempts, in seconds. Default: 120."""
    retry_mode: RetryMode | str
    """``"exponential"`` or ``"fixed"`` pauses between attempts. Default: ``"exponential"``."""
    retry_on_methods: Iterable[str]
    """HTTP methods to repeat after any transient failure. Default: decided by operation."""
    retry_on_status_codes: Sequence[int]
    """Statuses to repeat after besides 408, 429, 500, 502, 503 and 504. Default: none."""
    timeout: float | None
    """The deadline of the whole call, with its attempts and pauses, in seconds from its start.
    Default: None, no deadline."""
    permit_redirects: bool
    """Whether to follow redirects. Default: False."""
    redirect_max: int
    """How many redirects to follow at most. Default: 30."""
    connection_timeout: float | None
    """How long to wait for a connection, in seconds. 0 or None: no limit. Default: 10."""
    read_timeout: float | None
    """How long to wait for the next bytes, in seconds. 0 or None: no limit. Default: 60."""
    connection_verify: bool | str
    """Whether to verify certificates, or the path of a CA bundle. Default: True, by the bundle of
    the environment if there is one."""
    connection_cert: str | tuple[str, str]
    """The path of a client certificate, or of a certificate and its key. Default: none."""
    tracing_attributes: Mapping[str, Any]
    """Attributes to set on spans. Default: none."""


class RequestOptions(PipelineOptions, total=False):
    """Options of a single call."""

    api_version: str | ApiVersion
    """The API version of the call. Default: the client's."""
    params: Mapping[str, str]
    """Parameters to add to the query. Default: none."""
    error_map: Mapping[int, type[HttpResponseError]]
    """Exceptions by status. Default: those of azure-core for 401, 404 and 409."""
    enforce_https: bool
    """Whether to reject http for Entra tokens. Default: True."""
    tracing_options: Mapping[str, Any]
    """``enabled`` and ``attributes`` of the call's spans. Default: the settings of azure-core."""
    merge_span: bool
    """Whether the call adds its requests to the current span. Default: False."""
    parent_span: Any
    """The parent of the call's span. Default: the current span."""


class BaseClientOptions(PipelineOptions, total=False):
    """Options of both clients."""

    user_agent_use_env: bool
    """Whether to append ``AZURE_HTTP_USER_AGENT`` to the User-Agent. Default: True."""
    sdk_moniker: str
    """The name and version in the User-Agent. Default: those of this library."""
    auto_request_id: bool
    """Whether to make request ids. Default: True."""
    redirect_remove_headers: Sequence[str]
    """Headers to remove when a redirect is followed, besides Authorization. Default: none."""
    redirect_on_status_codes: Sequence[int]
    """Statuses that are redirects, besides 300 to 303, 307 and 308. Default: none."""
    redact_user_ids: bool
    """Whether a salted hash replaces the ids of users in the logs, spans and exceptions of the
    client, and in urllib3's log of the whole process; not in the spans of other libraries, such as
    Sentry and instrumentors of urllib3 and aiohttp. The hashes differ from process to process.
    Default: False."""
    network_span_namer: Callable[[Any], str]
    """A function from a request to the name of its span. Default: the HTTP method."""
    instrumentation_config: Mapping[str, Any]
    """The ``library_name``, ``library_version`` and ``attributes`` of spans of requests. Default:
    those of this library."""
    additional_allowed_query_params: Iterable[str]
    """Parameters of the query to show in logs, besides ``api-version``. Default: none."""
    connection_data_block_size: int
    """The size of the blocks of a streamed body, in bytes. Default: 4096."""
    use_env_settings: bool
    """Whether to use the proxies and the CA bundle of the environment. Default: True."""
    session: Any
    """A ``requests.Session`` or an ``aiohttp.ClientSession`` to send with. Default: none."""
    session_owner: bool
    """Whether closing the client closes ``session``. Default: True."""
    policies: Sequence[Policy]
    """The policies of the pipeline; no others run. Default: azure-core's and this library's."""
    per_call_policies: Policy | Iterable[Policy]
    """Policies that run once for each call. Default: none."""
    per_retry_policies: Policy | Iterable[Policy]
    """Policies that run once for each attempt, after it is signed. Default: none."""
    request_id_policy: Policy
    """Replaces the policy that sets request ids. Default: none."""
    headers_policy: Policy
    """Replaces the policy that sets ``headers``. Default: none."""
    user_agent_policy: Policy
    """Replaces the policy that sets the User-Agent. Default: none."""
    proxy_policy: Policy
    """Replaces the policy that sets ``proxies``. Default: none."""
    redirect_policy: Policy
    """Replaces the policy that follows redirects. Default: none."""
    retry_policy: Policy
    """Replaces the policy that repeats requests and keeps ``timeout``. Default: none."""
    custom_hook_policy: Policy
    """Replaces the policy that calls the hooks. Default: none."""
    logging_policy: Policy
    """Replaces the policy that logs at DEBUG. Default: none."""
    http_logging_policy: Policy
    """Replaces the policy that logs at INFO. Default: none."""


class ClientOptions(BaseClientOptions, total=False):
    """Options of the sync client."""

    transport: HttpTransport[Any, Any]
    """The transport to send with. Default: one on urllib3."""
    pipeline: Pipeline[Any, Any]
    """A whole pipeline, which replaces transport and policies. Default: none."""


class AsyncClientOptions(BaseClientOptions, total=False):
    """Options of the async client."""

    transport: AsyncHttpTransport[Any, Any]
    """The transport to send with. Default: one on aiohttp."""
    pipeline: AsyncPipeline[Any, Any]
    """A whole pipeline, which replaces transport and policies. Default: none."""
