"""What the clients put into the azure-core pipeline besides what the caller does."""

import sys
from collections.abc import Mapping
from copy import copy
from functools import cache
from typing import Any

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.policies import AsyncRetryPolicy, RetryPolicy
from azure.core.pipeline.transport import HttpTransport

from ._header_policies import FixedHeadersPolicy, FixedUserAgentPolicy, RandomRequestIdPolicy
from ._options import UnknownOptionsPolicy, refuse_unknown_client_options
from ._policy_chain import listed
from ._redirects import AsyncLateRedirectPolicy, LateRedirectPolicy
from ._shared.auth_policy_utils import get_authentication_policy
from ._shared.logging_policy import RedactedTraceLoggingPolicy


def sync_arguments(
    endpoint: str,
    credential: TokenCredential | AzureKeyCredential | str,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """The keyword arguments of the sync REST client.

    :raises TypeError: The credential is none, or an option is not known.
    :raises ValueError: The access key is not base64.
    """
    arguments = _arguments(endpoint, credential, options, is_async=False)
    if _needs_transport(arguments):
        arguments["transport"] = _sync_transport(options)
    _add_what_requests_needs(arguments)
    return arguments


def async_arguments(
    endpoint: str,
    credential: AsyncTokenCredential | AzureKeyCredential | str,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """The keyword arguments of the async REST client.

    :raises TypeError: The credential is none, or an option is not known.
    :raises ValueError: The access key is not base64.
    :raises ImportError: There is neither aiohttp nor another transport.
    """
    arguments = _arguments(endpoint, credential, options, is_async=True)
    if _needs_transport(arguments):
        try:
            from ._transports._aiohttp import AiohttpTransport
        except ImportError:
            raise ImportError(
                "The async client needs aiohttp: pip install 'azure-communication-identity[aio]', "
                "or pass another transport."
            ) from None
        arguments["transport"] = AiohttpTransport(**_of_transport(options))
    _add_what_requests_needs(arguments)
    return arguments


def _arguments(
    endpoint: str, credential: Any, options: Mapping[str, Any], *, is_async: bool
) -> dict[str, Any]:
    refuse_unknown_client_options(options)
    arguments = dict(options)
    arguments["authentication_policy"] = get_authentication_policy(
        endpoint, credential, is_async=is_async
    )
    own_policies: dict[str, type[Any]] = {
        "request_id_policy": RandomRequestIdPolicy,
        "headers_policy": FixedHeadersPolicy,
        "user_agent_policy": FixedUserAgentPolicy,
        "redirect_policy": AsyncLateRedirectPolicy if is_async else LateRedirectPolicy,
        "logging_policy": RedactedTraceLoggingPolicy,
    }
    for name, policy in own_policies.items():
        if arguments.get(name) is None:
            arguments[name] = policy(**options)
    if arguments.get("retry_policy") is None and not any(map(_is_about_retries, options)):
        # Each policy has a table of the status codes to retry, of 16 KiB. A copy shares it.
        arguments["retry_policy"] = copy(_default_retry_policy(is_async))
    if arguments.get("policies") is None:
        arguments["per_retry_policies"] = [
            *listed(options.get("per_retry_policies")),
            UnknownOptionsPolicy(),
        ]
    return arguments


def _add_what_requests_needs(arguments: dict[str, Any]) -> None:
    # Who has a transport of requests has imported requests, and nobody else should have to.
    if "requests" in sys.modules and arguments.get("policies") is None:
        from ._transports._requests import without_netrc

        arguments["per_retry_policies"] += without_netrc(arguments.get("transport"))


def _is_about_retries(option: str) -> bool:
    return option == "timeout" or option.startswith("retry_")


@cache
def _default_retry_policy(is_async: bool) -> RetryPolicy[Any, Any] | AsyncRetryPolicy[Any, Any]:
    return AsyncRetryPolicy() if is_async else RetryPolicy()


def _needs_transport(arguments: Mapping[str, Any]) -> bool:
    return arguments.get("transport") is None and arguments.get("pipeline") is None


def _sync_transport(options: Mapping[str, Any]) -> HttpTransport[Any, Any]:
    if options.get("session") is not None:
        from azure.core.pipeline.transport import RequestsTransport

        transport: HttpTransport[Any, Any] = RequestsTransport(**options)
        return transport
    from ._transports._urllib3 import Urllib3Transport

    return Urllib3Transport(**_of_transport(options))


def _of_transport(options: Mapping[str, Any]) -> dict[str, Any]:
    # The proxy policy passes proxies on with each request, so that a call may name others.
    return {name: value for name, value in options.items() if name != "proxies"}
