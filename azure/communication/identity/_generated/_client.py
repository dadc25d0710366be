# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The sync REST client."""

from copy import deepcopy
from types import TracebackType
from typing import Any

from azure.core import PipelineClient
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Self

from .._policy_chain import chained, listed
from ._configuration import CommunicationIdentityClientConfiguration
from .operations import CommunicationIdentityOperations, TeamsExtensionOperations


class CommunicationIdentityClient:
    """The identities of an Azure Communication Services resource, and their access tokens.

    :param str endpoint: The endpoint of the resource, such as
        https://my-resource.communication.azure.com.
    :keyword str api_version: The version of the API to ask for.
    :keyword policies: The policies of the pipeline, in place of the configured ones.
    :keyword per_call_policies: Policies to put before all others.
    :keyword per_retry_policies: Policies to put behind the retry policy.
    """

    def __init__(self, endpoint: str, *, api_version: str = "2025-06-30", **kwargs: Any) -> None:
        self._config = CommunicationIdentityClientConfiguration(
            endpoint, api_version=api_version, **kwargs
        )
        if kwargs.get("policies") is None:
            kwargs["policies"] = chained(
                _policies(
                    self._config,
                    kwargs.pop("per_call_policies", None),
                    kwargs.pop("per_retry_policies", None),
                    **kwargs,
                ),
                is_async=False,
            )
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            base_url=endpoint, config=self._config, **kwargs
        )
        self.communication_identity = CommunicationIdentityOperations(self._client, self._config)
        self.teams_extension = TeamsExtensionOperations(self._client, self._config)

    def send_request(
        self, request: HttpRequest, *, stream: bool = False, **kwargs: Any
    ) -> HttpResponse:
        """Sends a request through the pipeline, and raises nothing for the status of its response.

        :param request: The request. A relative URL is one below the endpoint.
        :type request: ~azure.core.rest.HttpRequest
        :keyword bool stream: Whether to leave the body of the response unread.
        :rtype: ~azure.core.rest.HttpResponse
        """
        copied = deepcopy(request)
        copied.url = self._client.format_url(copied.url)
        return self._client.send_request(copied, stream=stream, **kwargs)

    def close(self) -> None:
        """Closes the connections of the client."""
        self._client.close()

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._client.__exit__(exc_type, exc_value, traceback)


def _policies(
    config: CommunicationIdentityClientConfiguration, per_call: Any, per_retry: Any, **kwargs: Any
) -> list[Any]:
    return [
        *listed(per_call),
        config.request_id_policy,
        config.headers_policy,
        config.user_agent_policy,
        config.proxy_policy,
        config.redirect_policy,
        config.retry_policy,
        *listed(per_retry),
        config.custom_hook_policy,
        config.logging_policy,
        policies.DistributedTracingPolicy(**kwargs),
        # Behind everything that may change the request, so that what is signed is what is sent.
        config.authentication_policy,
        # Takes the credentials off again when a redirect leads to another host.
        policies.SensitiveHeaderCleanupPolicy(**kwargs),
        config.http_logging_policy,
    ]
