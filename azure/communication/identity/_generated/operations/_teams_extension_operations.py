# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The sync operations of teams_extension."""

from typing import TYPE_CHECKING, Any

from azure.core import PipelineClient
from azure.core.rest import HttpRequest, HttpResponse

from .._configuration import CommunicationIdentityClientConfiguration
from .._messages import JSON, ClsType, T, check_status, result
from .._request_builders import (
    build_teams_extension_delete_assignment_request,
    build_teams_extension_exchange_token_request,
    build_teams_extension_get_assignment_request,
    build_teams_extension_upsert_assignment_request,
)

if TYPE_CHECKING:
    from .. import models as _models


class TeamsExtensionOperations:
    """The operations, as an attribute of the client.

    Keyword arguments that an operation does not name go to the pipeline; ``api_version``,
    ``headers``, ``params`` and ``error_map`` (from status to exception) are understood by all.
    """

    def __init__(
        self,
        client: PipelineClient[HttpRequest, HttpResponse],
        config: CommunicationIdentityClientConfiguration,
    ) -> None:
        self._client = client
        self._config = config

    def exchange_token(
        self,
        body: "JSON | _models.TokenExchangeRequest | None" = None,
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Exchange the Entra token of a Teams Phone user.

        Exchanges the Entra ID token that authenticates the request for a communication token of the
        same user. An access key cannot authenticate it.

        API versions: 2025-03-02-preview, 2025-06-30, 2026-09-23.

        :param body: An empty object.
        :type body: JSON or ~azure.communication.identity._generated.models.TokenExchangeRequest
        :keyword cls: Makes the result of the response and its JSON.
        :return: The identity of the user, and the token. It is the JSON of
            CommunicationIdentityAccessTokenResult, unless ``cls`` makes something else of it.
        :raises ~azure.core.exceptions.HttpResponseError: The answer is an error.
        """
        request = build_teams_extension_exchange_token_request(
            json=body,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = self._client._pipeline.run(request, stream=False, **kwargs)
        check_status(response, (200,), error_map)
        return result(response, cls)

    def get_assignment(
        self,
        tenant_id: str,
        object_id: str,
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Get an assignment.

        Reads what gives a Teams user or resource account access to the resource.

        API versions: 2025-03-02-preview, 2025-06-30, 2026-09-23.

        :param str tenant_id: The id of the Entra tenant of the object.
        :param str object_id: The Entra object id of the user or resource account.
        :keyword cls: Makes the result of the response and its JSON.
        :return: The assignment. It is the JSON of TeamsExtensionAssignment, unless ``cls`` makes
            something else of it.
        :raises ~azure.core.exceptions.HttpResponseError: The answer is an error.
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
        response = self._client._pipeline.run(request, stream=False, **kwargs)
        check_status(response, (200,), error_map)
        return result(response, cls)

    def upsert_assignment(
        self,
        tenant_id: str,
        object_id: str,
        body: "JSON | _models.TeamsExtensionAssignmentRequest",
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Create or replace an assignment.

        Gives a Teams user or resource account access to the resource, or changes what it has.

        API versions: 2025-03-02-preview, 2025-06-30, 2026-09-23.

        :param str tenant_id: The id of the Entra tenant of the object.
        :param str object_id: The Entra object id of the user or resource account.
        :param body: What the object is, and the applications that may act for it.
        :type body: JSON or
            ~azure.communication.identity._generated.models.TeamsExtensionAssignmentRequest
        :keyword cls: Makes the result of the response and its JSON.
        :return: The assignment that replaced an older one. It is the JSON of
            TeamsExtensionAssignment, unless ``cls`` makes something else of it.
        :raises ~azure.core.exceptions.HttpResponseError: The answer is an error.
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
        response = self._client._pipeline.run(request, stream=False, **kwargs)
        check_status(response, (200, 201), error_map)
        return result(response, cls)

    def delete_assignment(
        self,
        tenant_id: str,
        object_id: str,
        **kwargs: Any,
    ) -> None:
        """Delete an assignment.

        Takes the access to the resource from a Teams user or resource account.

        API versions: 2025-03-02-preview, 2025-06-30, 2026-09-23.

        :param str tenant_id: The id of the Entra tenant of the object.
        :param str object_id: The Entra object id of the user or resource account.
        :raises ~azure.core.exceptions.HttpResponseError: The answer is an error.
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
        response = self._client._pipeline.run(request, stream=False, **kwargs)
        check_status(response, (204,), error_map)
