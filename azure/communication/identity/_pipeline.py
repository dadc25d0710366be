"""What the clients put into the azure-core pipeline besides what the caller does."""

import os
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.credentials_async import AsyncTokenCredential

from ._options import UnknownOptionsPolicy, refuse_unknown_client_options
from ._shared.auth_policy_utils import get_authentication_policy
from ._shared.logging_policy import RedactedTraceLoggingPolicy

_CA_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


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
        from azure.core.pipeline.transport import RequestsTransport
        from requests.utils import get_environ_proxies

        if arguments.pop("use_env_settings", True):
            _use_environment(arguments, get_environ_proxies(endpoint))
        # requests would read the environment for every request, and .netrc with it, whose
        # credentials would take the place of the signature.
        arguments["transport"] = RequestsTransport(use_env_settings=False, **arguments)
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
            from azure.core.pipeline.transport import AioHttpTransport
        except ImportError:
            raise ImportError(
                "The async client needs aiohttp: pip install 'azure-communication-identity[aio]', "
                "or pass another transport."
            ) from None
        if arguments.pop("use_env_settings", True):
            _use_environment(arguments, _environment_proxies(endpoint))
        arguments["transport"] = AioHttpTransport(use_env_settings=False, **arguments)
    return arguments


def _arguments(
    endpoint: str, credential: Any, options: Mapping[str, Any], *, is_async: bool
) -> dict[str, Any]:
    refuse_unknown_client_options(options)
    arguments = dict(options)
    arguments["authentication_policy"] = get_authentication_policy(
        endpoint, credential, is_async=is_async
    )
    if arguments.get("logging_policy") is None:
        arguments["logging_policy"] = RedactedTraceLoggingPolicy(**options)
    if arguments.get("policies") is None:
        arguments["per_retry_policies"] = [
            *_listed(options.get("per_retry_policies")),
            UnknownOptionsPolicy(),
        ]
    return arguments


def _needs_transport(arguments: Mapping[str, Any]) -> bool:
    return arguments.get("transport") is None and arguments.get("pipeline") is None


def _use_environment(arguments: dict[str, Any], proxies: Mapping[str, str]) -> None:
    if proxies:
        arguments.setdefault("proxies", proxies)
    for variable in _CA_BUNDLE_VARIABLES:
        if bundle := os.environ.get(variable):
            arguments.setdefault("connection_verify", bundle)


def _environment_proxies(endpoint: str) -> Mapping[str, str]:
    # Like requests.utils.get_environ_proxies, without requests.
    from urllib.request import getproxies, proxy_bypass

    host = urlsplit(endpoint).hostname or ""
    return {} if proxy_bypass(host) else getproxies()


def _listed(one_or_more: Any) -> Iterable[Any]:
    if one_or_more is None:
        return []
    return one_or_more if isinstance(one_or_more, Iterable) else [one_or_more]
