# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The policies of the sync REST client."""

from typing import Any

from azure.core.configuration import Configuration
from azure.core.pipeline import policies

from .._version import SDK_MONIKER


class CommunicationIdentityClientConfiguration(Configuration[Any, Any]):
    """The configuration of the client and its operations.

    :param str endpoint: The endpoint of the resource, such as
        https://my-resource.communication.azure.com.
    :keyword str api_version: The API version of the requests.
    :keyword authentication_policy: The policy that authenticates requests.
    :paramtype authentication_policy: ~azure.core.pipeline.policies.HTTPPolicy or
        ~azure.core.pipeline.policies.SansIOHTTPPolicy
    """

    def __init__(self, endpoint: str, *, api_version: str = "2025-06-30", **kwargs: Any) -> None:
        kwargs.setdefault("sdk_moniker", SDK_MONIKER)
        self.endpoint = endpoint.rstrip("/")
        self.api_version = api_version
        self.request_id_policy = kwargs.get("request_id_policy") or policies.RequestIdPolicy(
            **kwargs
        )
        self.headers_policy = kwargs.get("headers_policy") or policies.HeadersPolicy(**kwargs)
        self.user_agent_policy = kwargs.get("user_agent_policy") or policies.UserAgentPolicy(
            **kwargs
        )
        self.proxy_policy = kwargs.get("proxy_policy") or policies.ProxyPolicy(**kwargs)
        self.redirect_policy = kwargs.get("redirect_policy") or policies.RedirectPolicy(**kwargs)
        self.retry_policy = kwargs.get("retry_policy") or policies.RetryPolicy(**kwargs)
        self.custom_hook_policy = kwargs.get("custom_hook_policy") or policies.CustomHookPolicy(
            **kwargs
        )
        self.logging_policy = kwargs.get("logging_policy") or policies.NetworkTraceLoggingPolicy(
            **kwargs
        )
        self.http_logging_policy = kwargs.get("http_logging_policy") or policies.HttpLoggingPolicy(
            **kwargs
        )
        self.authentication_policy = kwargs.get("authentication_policy")
