# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The sync REST client."""

from collections.abc import Iterable
from copy import deepcopy
from types import TracebackType
from typing import Any

from azure.core import PipelineClient
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Self

from ._configuration import CommunicationIdentityClientConfiguration
from ._messages import url_at
from .operations import CommunicationIdentityOperations, EntraOperations, TeamsExtensionOperations


class CommunicationIdentityClient:
    """Manages the identities of an Azure Communication Services resource and their access tokens.

    :param str endpoint: The endpoint of the resource, such as
        https://my-resource.communication.azure.com.
    :keyword str api_version: The API version of the requests.
    :keyword policies: The policies of the pipeline. They replace the configured policies.
    :keyword per_call_policies: Policies that run once for each call.
    :keyword per_retry_policies: Policies that run once for each attempt.
    """

    def __init__(self, endpoint: str, *, api_version: str = "2025-06-30", **kwargs: Any) -> None:
        self._config = CommunicationIdentityClientConfiguration(
            endpoint, api_version=api_version, **kwargs
        )
        if kwargs.get("policies") is None:
            kwargs["policies"] = _policies(
                self._config,
                kwargs.pop("per_call_policies", None),
                kwargs.pop("per_retry_policies", None),
                **kwargs,
            )
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            base_url=endpoint, config=self._config, **kwargs
        )
        self.communication_identity = CommunicationIdentityOperations(self._client, self._config)
        self.teams_extension = TeamsExtensionOperations(self._client, self._config)
        self.entra = EntraOperations(self._client, self._config)

    def send_request(
        self, request: HttpRequest, *, stream: bool = False, **kwargs: Any
    ) -> HttpResponse:
        """Sends a request through the pipeline. The status of the response raises no error.

        :param request: The request. A relative URL is appended to the endpoint.
        :type request: ~azure.core.rest.HttpRequest
        :keyword bool stream: Whether to leave the body of the response unread. False by default.
        :rtype: ~azure.core.rest.HttpResponse
        :raises ValueError: If the URL leads to another scheme, host or port, or its path has ``.``
            or ``..``.
        """
        copied = deepcopy(request)
        copied.url = url_at(self._config.endpoint, copied.url)
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
    # The order of azure-core, without ContentDecodePolicy: operations decode their responses, and
    # its exceptions show bodies, which may hold tokens.
    return [
        config.request_id_policy,
        config.headers_policy,
        config.user_agent_policy,
        config.proxy_policy,
        *_listed(per_call),
        config.redirect_policy,
        config.retry_policy,
        config.authentication_policy,
        config.custom_hook_policy,
        *_listed(per_retry),
        config.logging_policy,
        policies.DistributedTracingPolicy(**kwargs),
        policies.SensitiveHeaderCleanupPolicy(**kwargs),
        config.http_logging_policy,
    ]


def _listed(one_or_more: Any) -> list[Any]:
    if one_or_more is None:
        return []
    return list(one_or_more) if isinstance(one_or_more, Iterable) else [one_or_more]
