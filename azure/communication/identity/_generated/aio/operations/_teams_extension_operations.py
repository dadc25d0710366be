# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The async operations of teams_extension."""

from typing import TYPE_CHECKING, Any

from azure.core import AsyncPipelineClient
from azure.core.rest import AsyncHttpResponse, HttpRequest

from ..._messages import JSON, ClsType, T, check_status, result
from ..._request_builders import (
    build_teams_extension_delete_assignment_request,
    build_teams_extension_exchange_token_request,
    build_teams_extension_get_assignment_request,
    build_teams_extension_upsert_assignment_request,
)
from .._configuration import CommunicationIdentityClientConfiguration

if TYPE_CHECKING:
    from ... import models as _models


class TeamsExtensionOperations:
    """The operations, as an attribute of the client.

    All operations accept the keyword arguments ``api_version``, ``headers``, ``params`` and
    ``error_map`` (from status to exception type). The pipeline gets the others.
    """

    def __init__(
        self,
        client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse],
        config: CommunicationIdentityClientConfiguration,
    ) -> None:
        self._client = client
        self._config = config

    async def exchange_token(
        self,
        body: "JSON | _models.TokenExchangeRequest | None" = None,
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Exchange the Entra token of a Teams Phone user.

        Exchanges the Entra token that authenticates the request for a communication token of the
        same user. An access key cannot authenticate the request.

        API versions: 2025-03-02-preview, 2025-06-30, 2026-09-23.

        :param body: An empty object.
        :type body: JSON or ~azure.communication.identity._generated.models.TokenExchangeRequest
        :keyword cls: Converts the response and its JSON to the result.
        :return: The identity of the user, and the token. The JSON of
            CommunicationIdentityAccessTokenResult, or the result of ``cls``.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        request = build_teams_extension_exchange_token_request(
            json=body,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = await self._client.send_request(request, **kwargs)
        check_status(response, (200,), error_map)
        return result(response, cls)

    async def get_assignment(
        self,
        tenant_id: str,
        object_id: str,
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Get a Teams extension assignment.

        Gets the assignment of a Teams user or resource account.

        API versions: 2025-03-02-preview, 2025-06-30, 2026-09-23.

        :param str tenant_id: The id of the principal's Entra tenant.
        :param str object_id: The Entra object id of the principal.
        :keyword cls: Converts the response and its JSON to the result.
        :return: The assignment. The JSON of TeamsExtensionAssignment, or the result of ``cls``.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        request = build_teams_extension_get_assignment_request(
            tenant_id,
            object_id,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = await self._client.send_request(request, **kwargs)
        check_status(response, (200,), error_map)
        return result(response, cls)

    async def upsert_assignment(
        self,
        tenant_id: str,
        object_id: str,
        body: "JSON | _models.TeamsExtensionAssignmentRequest",
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Create or replace a Teams extension assignment.

        Allows a Teams user or resource account to get tokens through the given applications.

        API versions: 2025-03-02-preview, 2025-06-30, 2026-09-23.

        :param str tenant_id: The id of the principal's Entra tenant.
        :param str object_id: The Entra object id of the principal.
        :param body: The type of the principal, and the applications.
        :type body: JSON or
            ~azure.communication.identity._generated.models.TeamsExtensionAssignmentRequest
        :keyword cls: Converts the response and its JSON to the result.
        :return: The assignment. The JSON of TeamsExtensionAssignment, or the result of ``cls``.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        request = build_teams_extension_upsert_assignment_request(
            tenant_id,
            object_id,
            json=body,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = await self._client.send_request(request, **kwargs)
        check_status(response, (200, 201), error_map)
        return result(response, cls)

    async def delete_assignment(
        self,
        tenant_id: str,
        object_id: str,
        **kwargs: Any,
    ) -> None:
        """Delete a Teams extension assignment.

        Deletes an assignment. Tokens issued because of it are revoked.

        API versions: 2025-03-02-preview, 2025-06-30, 2026-09-23.

        :param str tenant_id: The id of the principal's Entra tenant.
        :param str object_id: The Entra object id of the principal.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error.
        """
        request = build_teams_extension_delete_assignment_request(
            tenant_id,
            object_id,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = await self._client.send_request(request, **kwargs)
        check_status(response, (204,), error_map)
