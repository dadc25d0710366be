"""The pipelines of the two clients: transports, and policies in order."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.policies import (
    CustomHookPolicy,
    DistributedTracingPolicy,
    HeadersPolicy,
    ProxyPolicy,
    SensitiveHeaderCleanupPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import HttpTransport

from .._shared.auth_policy_utils import get_authentication_policy
from .._version import SDK_MONIKER
from .deadlines import bounded, without_zero_timeouts
from .logging_policy import RedactedTraceLoggingPolicy, new_http_logging_policy
from .option_checks import UnknownOptionsPolicy, check_client_options
from .pipelines import AsyncChainPipeline, ChainPipeline
from .redirect_policies import AsyncGuardedRedirectPolicy, GuardedRedirectPolicy
from .request_ids import RandomRequestIdPolicy
from .retries import new_retry_policy
from .tracing import INSTRUMENTATION


def sync_pipeline_options(
    endpoint: str,
    credential: TokenCredential | AzureKeyCredential | str,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """The keyword arguments of the sync REST client.

    :raises TypeError: If `credential` has an unsupported type, or an option is unknown.
    :raises ValueError: If the access key is not base64.
    """
    return _pipeline_options(endpoint, credential, options, _sync_transport, is_async=False)


def async_pipeline_options(
    endpoint: str,
    credential: AsyncTokenCredential | AzureKeyCredential | str,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """The keyword arguments of the async REST client.

    :raises TypeError: If `credential` has an unsupported type, or an option is unknown.
    :raises ValueError: If the access key is not base64.
    :raises ImportError: If aiohttp is not installed and no transport is passed.
    """
    return _pipeline_options(endpoint, credential, options, _async_transport, is_async=True)


def _pipeline_options(
    endpoint: str,
    credential: Any,
    options: Mapping[str, Any],
    new_transport: Callable[[Mapping[str, Any]], Any],
    *,
    is_async: bool,
) -> dict[str, Any]:
    check_client_options(options)
    redacts = _redacts_user_ids(options)
    options = {"sdk_moniker": SDK_MONIKER, **without_zero_timeouts(options)}
    options["headers"] = options.get("headers") or {}  # azure-core takes None from calls only
    authentication = get_authentication_policy(
        endpoint, credential if is_async else bounded(credential), is_async=is_async
    )
    result = {**options, "authentication_policy": authentication}
    if result.get("pipeline") is not None:
        return result
    if result.get("transport") is None:
        result["transport"] = new_transport(options)
    if result.get("policies") is None:
        for name, new_policy in _configured(is_async).items():
            if result.get(name) is None:
                result[name] = new_policy(**options)
        policies = (_in_order_redacting if redacts else _in_order)(result)
        new_pipeline = AsyncChainPipeline if is_async else ChainPipeline
        result["pipeline"] = new_pipeline(result["transport"], policies)
        result["policies"] = policies  # so that the generated client makes none
        result.pop("per_call_policies", None)
        result.pop("per_retry_policies", None)
    return result


def _configured(is_async: bool) -> dict[str, Callable[..., Any]]:
    """From the option that replaces a policy to what makes that policy."""
    return {
        "request_id_policy": RandomRequestIdPolicy,
        "headers_policy": HeadersPolicy,
        "user_agent_policy": UserAgentPolicy,
        "proxy_policy": ProxyPolicy,
        "redirect_policy": (AsyncGuardedRedirectPolicy if is_async else GuardedRedirectPolicy),
        "retry_policy": partial(new_retry_policy, is_async),
        "custom_hook_policy": CustomHookPolicy,
        "logging_policy": RedactedTraceLoggingPolicy,
        "http_logging_policy": new_http_logging_policy,
    }


def _in_order(policies: Mapping[str, Any]) -> list[Any]:
    # The order of azure-core. ContentDecodePolicy is missing: operations decode their responses,
    # and its exceptions show bodies, which may hold tokens.
    return [
        policies["request_id_policy"],
        policies["headers_policy"],
        policies["user_agent_policy"],
        policies["proxy_policy"],
        *_listed(policies.get("per_call_policies")),
        policies["redirect_policy"],
        policies["retry_policy"],
        policies["authentication_policy"],
        policies["custom_hook_policy"],
        *_listed(policies.get("per_retry_policies")),
        UnknownOptionsPolicy(),
        policies["logging_policy"],
        DistributedTracingPolicy(**{"instrumentation_config": INSTRUMENTATION, **policies}),
        SensitiveHeaderCleanupPolicy(**policies),
        policies["http_logging_policy"],
        *_next_to(policies["transport"]),
    ]


def _redacts_user_ids(options: Mapping[str, Any]) -> bool:
    redacts = options.get("redact_user_ids", False)
    if not isinstance(redacts, bool):
        raise TypeError(f"redact_user_ids must be a bool, not {type(redacts).__name__}.")
    if redacts and (options.get("pipeline") or options.get("policies")):
        raise ValueError(
            "redact_user_ids needs the policies of the client: do not combine it with pipeline or "
            "policies."
        )
    return redacts


def _in_order_redacting(policies: Mapping[str, Any]) -> list[Any]:
    from .user_id_policies import ErrorsWithoutUserIds, WithoutUserIds, redact_urllib3_logs

    redact_urllib3_logs()
    reporting = ("logging_policy", "http_logging_policy")
    viewed = {name: WithoutUserIds(policies[name]) for name in reporting}
    return [ErrorsWithoutUserIds()] + [
        WithoutUserIds(policy) if isinstance(policy, DistributedTracingPolicy) else policy
        for policy in _in_order({**policies, **viewed})
    ]


def _listed(one_or_more: Any) -> list[Any]:
    if one_or_more is None:
        return []
    return list(one_or_more) if isinstance(one_or_more, Iterable) else [one_or_more]


def _next_to(transport: object) -> list[Any]:
    if getattr(transport, "takes_deadline", False):
        return []
    from .stock_transports import policies_for

    return policies_for(transport)


def _sync_transport(options: Mapping[str, Any]) -> HttpTransport[Any, Any]:
    if options.get("session") is not None:
        from azure.core.pipeline.transport import RequestsTransport

        transport: HttpTransport[Any, Any] = RequestsTransport(**options)
        return transport
    from .._transports._urllib3 import Urllib3Transport

    return Urllib3Transport(**_of_transport(options))


def _async_transport(options: Mapping[str, Any]) -> Any:
    try:
        from .._transports._aiohttp import AiohttpTransport
    except ImportError:
        raise ImportError(
            "The async client needs aiohttp: pip install 'azure-communication-identity[aio]', "
            "or pass another transport."
        ) from None
    return AiohttpTransport(**_of_transport(options))


def _of_transport(options: Mapping[str, Any]) -> dict[str, Any]:
    # The proxy policy passes proxies on with each request, so that a call may name others; but not
    # an empty mapping, which means that there are none.
    return {name: value for name, value in options.items() if name != "proxies" or not value}
