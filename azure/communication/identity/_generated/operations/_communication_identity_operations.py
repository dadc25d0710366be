# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The sync operations of communication_identity."""

from typing import TYPE_CHECKING, Any

from azure.core import PipelineClient
from azure.core.rest import HttpRequest, HttpResponse

from .._configuration import CommunicationIdentityClientConfiguration
from .._messages import JSON, ClsType, T, check_status, result
from .._request_builders import (
    build_communication_identity_create_request,
    build_communication_identity_delete_request,
    build_communication_identity_exchange_teams_user_access_token_request,
    build_communication_identity_get_request,
    build_communication_identity_issue_access_token_request,
    build_communication_identity_revoke_access_tokens_request,
)

if TYPE_CHECKING:
    from .. import models as _models


class CommunicationIdentityOperations:
    """The operations, as an attribute of the client.

    All operations accept the keyword arguments ``api_version``, ``headers``, ``params`` and
    ``error_map`` (from status to exception type). The pipeline gets the others.
    """

    def __init__(
        self,
        client: PipelineClient[HttpRequest, HttpResponse],
        config: CommunicationIdentityClientConfiguration,
    ) -> None:
        self._client = client
        self._config = config

    def create(
        self,
        body: "JSON | _models.CommunicationIdentityCreateRequest | None" = None,
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Create an identity.

        Creates an identity and, if scopes are given, issues an access token for it in the same
        request.

        API versions: 2021-03-07, 2022-06-01, 2022-10-01, 2023-10-01, 2025-03-02-preview,
        2025-06-30, 2026-09-23.

        :param body: The scopes of a token to issue with the identity, and a custom id.
        :type body: JSON or
            ~azure.communication.identity._generated.models.CommunicationIdentityCreateRequest
        :keyword cls: Converts the response and its JSON to the result.
        :return: The identity, and an access token if scopes were given. The JSON of
            CommunicationIdentityAccessTokenResult, or the result of ``cls``.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        request = build_communication_identity_create_request(
            json=body,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = self._client.send_request(request, **kwargs)
        check_status(response, (201,), error_map)
        return result(response, cls)

    def get(
        self,
        id: str,
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Get an identity.

        Gets an identity, its custom id, and the time of its last token.

        API versions: 2025-03-02-preview.

        :param str id: The raw id of the identity.
        :keyword cls: Converts the response and its JSON to the result.
        :return: The identity. The JSON of CommunicationIdentity, or the result of ``cls``.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        request = build_communication_identity_get_request(
            id,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = self._client.send_request(request, **kwargs)
        check_status(response, (200,), error_map)
        return result(response, cls)

    def delete(
        self,
        id: str,
        **kwargs: Any,
    ) -> None:
        """Delete an identity.

        Deletes an identity and revokes all tokens issued for it.

        API versions: 2021-03-07, 2022-06-01, 2022-10-01, 2023-10-01, 2025-03-02-preview,
        2025-06-30, 2026-09-23.

        :param str id: The raw id of the identity.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error.
        """
        request = build_communication_identity_delete_request(
            id,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = self._client.send_request(request, **kwargs)
        check_status(response, (204,), error_map)

    def revoke_access_tokens(
        self,
        id: str,
        **kwargs: Any,
    ) -> None:
        """Revoke access tokens.

        Revokes all tokens issued for an identity. The revocation can take up to 15 minutes to take
        effect.

        API versions: 2021-03-07, 2022-06-01, 2022-10-01, 2023-10-01, 2025-03-02-preview,
        2025-06-30, 2026-09-23.

        :param str id: The raw id of the identity.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error.
        """
        request = build_communication_identity_revoke_access_tokens_request(
            id,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = self._client.send_request(request, **kwargs)
        check_status(response, (204,), error_map)

    def issue_access_token(
        self,
        id: str,
        body: "JSON | _models.CommunicationIdentityAccessTokenRequest",
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Issue an access token.

        Issues an access token with the given scopes for an identity.

        API versions: 2021-03-07, 2022-06-01, 2022-10-01, 2023-10-01, 2025-03-02-preview,
        2025-06-30, 2026-09-23.

        :param str id: The raw id of the identity.
        :param body: The scopes and the lifetime of the token.
        :type body: JSON or
            ~azure.communication.identity._generated.models.CommunicationIdentityAccessTokenRequest
        :keyword cls: Converts the response and its JSON to the result.
        :return: The token. The JSON of CommunicationIdentityAccessToken, or the result of ``cls``.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        request = build_communication_identity_issue_access_token_request(
            id,
            json=body,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = self._client.send_request(request, **kwargs)
        check_status(response, (200,), error_map)
        return result(response, cls)

    def exchange_teams_user_access_token(
        self,
        body: "JSON | _models.TeamsUserExchangeTokenRequest",
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Exchange the Entra token of a Teams user.

        Exchanges the Entra token of a Teams user for a communication token that expires at the same
        time.

        API versions: 2022-06-01, 2022-10-01, 2023-10-01, 2025-03-02-preview, 2025-06-30,
        2026-09-23.

        :param body: The Entra token, and the ids of its application and its user.
        :type body: JSON or
            ~azure.communication.identity._generated.models.TeamsUserExchangeTokenRequest
        :keyword cls: Converts the response and its JSON to the result.
        :return: The token. The JSON of CommunicationIdentityAccessToken, or the result of ``cls``.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        request = build_communication_identity_exchange_teams_user_access_token_request(
            json=body,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = self._client.send_request(request, **kwargs)
        check_status(response, (200,), error_map)
        return result(response, cls)
