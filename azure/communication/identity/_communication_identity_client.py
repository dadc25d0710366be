from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType

from azure.core.credentials import AccessToken, AzureKeyCredential, TokenCredential
from azure.core.tracing.decorator import distributed_trace
from typing_extensions import Self, Unpack

from . import _results
from ._api_versions import DEFAULT_VERSION, ApiVersion, require_version, version_string
from ._arguments import (
    assignment_body,
    assignment_ids,
    issue_body,
    teams_user_body,
    user_and_token_body,
    user_body,
    user_id,
)
from ._generated import CommunicationIdentityClient as _RestClient
from ._generated._enums import CommunicationTokenScope, TeamsExtensionPrincipalType
from ._models import CommunicationUserDetail, TeamsExtensionAssignment
from ._pipeline.assembly import sync_pipeline_options
from ._pipeline.option_checks import call_version
from ._pipeline.options import ClientOptions, RequestOptions
from ._shared.identifiers import CommunicationUserIdentifier
from ._shared.urls import endpoint_url
from ._shared.utils import parse_connection_str


class CommunicationIdentityClient:
    """Creates users of a Communication Services resource, and issues and revokes their tokens.

    A client may be shared by threads, and keeps its connections open: make one and keep it. Keyword
    arguments that are not listed go to the azure-core pipeline, such as ``transport``,
    ``retry_total`` or ``logging_enable``.

    :param str endpoint: The endpoint of the resource, such as
        ``https://my-resource.communication.azure.com``.
    :param credential: An access key of the resource, or an Entra credential such as
        ``azure.identity.DefaultAzureCredential()``.
    :type credential: str or ~azure.core.credentials.AzureKeyCredential or
        ~azure.core.credentials.TokenCredential
    :keyword api_version: The version of the REST API to ask for, ``2025-06-30`` by default. One
        that this library does not know is passed on.
    :paramtype api_version: str or ~azure.communication.identity.ApiVersion
    :raises TypeError: An argument is of another type, or a keyword argument is not known.
    :raises ValueError: The endpoint is not a URL, or the access key is not base64.
    """

    def __init__(
        self,
        endpoint: str,
        credential: TokenCredential | AzureKeyCredential | str,
        *,
        api_version: str | ApiVersion = DEFAULT_VERSION,
        **kwargs: Unpack[ClientOptions],
    ) -> None:
        url = endpoint_url(endpoint)
        self._api_version = version_string(api_version)
        self._client = _RestClient(
            url, api_version=self._api_version, **sync_pipeline_options(url, credential, kwargs)
        )
        self._identities = self._client.communication_identity
        self._teams_extension = self._client.teams_extension

    @classmethod
    def from_connection_string(
        cls,
        conn_str: str,
        *,
        api_version: str | ApiVersion = DEFAULT_VERSION,
        **kwargs: Unpack[ClientOptions],
    ) -> Self:
        """Makes a client from a connection string.

        :param str conn_str: ``endpoint=https://<resource>.communication.azure.com/;accesskey=<key>``,
            from the Keys page of the resource in the Azure portal.
        :keyword api_version: The version of the REST API to ask for, ``2025-06-30`` by default.
        :paramtype api_version: str or ~azure.communication.identity.ApiVersion
        :return: A client.
        :rtype: ~azure.communication.identity.CommunicationIdentityClient
        :raises TypeError: An argument is of another type, or a keyword argument is not known.
        :raises ValueError: A part is missing or given twice, the endpoint is not a URL, or the
            access key is not base64.
        """
        endpoint, access_key = parse_connection_str(conn_str)
        return cls(endpoint, access_key, api_version=api_version, **kwargs)

    @distributed_trace
    def create_user(
        self, *, custom_id: str | None = None, **kwargs: Unpack[RequestOptions]
    ) -> CommunicationUserIdentifier:
        """Creates a user.

        When the service answers with 500, 503 or 504 the request is sent again, which may leave a
        second user behind. A ``custom_id`` prevents that, and ``retry_status=0`` turns it off.

        :keyword custom_id: An id of your own for the user, of 1 to 256 characters. The user that
            has it already is returned, and else a new one. Needs API version 2025-03-02-preview.
        :paramtype custom_id: str or None
        :return: The user.
        :rtype: ~azure.communication.identity.CommunicationUserIdentifier
        :raises TypeError: The custom id is not a str.
        :raises ValueError: The custom id is empty, or the API version does not have it.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        version = call_version(kwargs, self._api_version)
        body = user_body(custom_id, version)
        return self._identities.create(body, cls=_results.user, **kwargs)

    @distributed_trace
    def create_user_and_token(
        self,
        scopes: Sequence[str | CommunicationTokenScope],
        *,
        custom_id: str | None = None,
        token_expires_in: timedelta | None = None,
        **kwargs: Unpack[RequestOptions],
    ) -> tuple[CommunicationUserIdentifier, AccessToken]:
        """Creates a user and issues a token for it, in one request.

        When the service answers with 500, 503 or 504 the request is sent again, which may leave a
        second user behind. A ``custom_id`` prevents that, and ``retry_status=0`` turns it off.

        :param scopes: What the token gives access to; at least one scope.
        :type scopes: list[str or ~azure.communication.identity.CommunicationTokenScope]
        :keyword custom_id: An id of your own for the user, of 1 to 256 characters. The user that
            has it already is returned, and else a new one. Needs API version 2025-03-02-preview.
        :paramtype custom_id: str or None
        :keyword token_expires_in: How long the token is valid, in whole minutes (a part of one is
            cut off). The service takes 1 to 24 hours, and 24 hours by default.
        :paramtype token_expires_in: ~datetime.timedelta or None
        :return: The user, and the token with its expiry in Unix seconds.
        :rtype: tuple[~azure.communication.identity.CommunicationUserIdentifier,
            ~azure.core.credentials.AccessToken]
        :raises TypeError: An argument is of another type.
        :raises ValueError: There are no scopes, the custom id is empty, or the API version does not
            have a parameter.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        version = call_version(kwargs, self._api_version)
        body = user_and_token_body(scopes, token_expires_in, custom_id, version)
        return self._identities.create(body, cls=_results.user_and_token, **kwargs)

    @distributed_trace
    def get_user_detail(
        self, user: CommunicationUserIdentifier | str, **kwargs: Unpack[RequestOptions]
    ) -> CommunicationUserDetail:
        """Gets what the service knows of a user. Needs API version 2025-03-02-preview.

        :param user: The user, or its raw id.
        :type user: ~azure.communication.identity.CommunicationUserIdentifier or str
        :return: The user, its custom id, and when a token was last issued for it.
        :rtype: ~azure.communication.identity.CommunicationUserDetail
        :raises TypeError: That is not a user.
        :raises ValueError: The user has no id, or the API version does not have this method.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        require_version("get_user_detail", call_version(kwargs, self._api_version))
        return self._identities.get(user_id(user), cls=_results.user_detail, **kwargs)

    @distributed_trace
    def get_token(
        self,
        user: CommunicationUserIdentifier | str,
        scopes: Sequence[str | CommunicationTokenScope],
        *,
        token_expires_in: timedelta | None = None,
        **kwargs: Unpack[RequestOptions],
    ) -> AccessToken:
        """Issues a token for a user.

        :param user: The user, or its raw id.
        :type user: ~azure.communication.identity.CommunicationUserIdentifier or str
        :param scopes: What the token gives access to; at least one scope.
        :type scopes: list[str or ~azure.communication.identity.CommunicationTokenScope]
        :keyword token_expires_in: How long the token is valid, in whole minutes (a part of one is
            cut off). The service takes 1 to 24 hours, and 24 hours by default.
        :paramtype token_expires_in: ~datetime.timedelta or None
        :return: The token with its expiry in Unix seconds.
        :rtype: ~azure.core.credentials.AccessToken
        :raises TypeError: An argument is of another type.
        :raises ValueError: There is no id or no scope, or the API version does not know the expiry.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        version = call_version(kwargs, self._api_version)
        body = issue_body(scopes, token_expires_in, version)
        return self._identities.issue_access_token(
            user_id(user), body, cls=_results.token, **kwargs
        )

    @distributed_trace
    def revoke_tokens(
        self, user: CommunicationUserIdentifier | str, **kwargs: Unpack[RequestOptions]
    ) -> None:
        """Revokes all tokens that were issued for a user. It may take up to 15 minutes to spread.

        :param user: The user, or its raw id.
        :type user: ~azure.communication.identity.CommunicationUserIdentifier or str
        :raises TypeError: That is not a user.
        :raises ValueError: The user has no id.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        call_version(kwargs, self._api_version)
        self._identities.revoke_access_tokens(user_id(user), **kwargs)

    @distributed_trace
    def delete_user(
        self, user: CommunicationUserIdentifier | str, **kwargs: Unpack[RequestOptions]
    ) -> None:
        """Deletes a user, and revokes all tokens that were issued for it.

        :param user: The user, or its raw id.
        :type user: ~azure.communication.identity.CommunicationUserIdentifier or str
        :raises TypeError: That is not a user.
        :raises ValueError: The user has no id.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        call_version(kwargs, self._api_version)
        self._identities.delete(user_id(user), **kwargs)

    @distributed_trace
    def get_token_for_teams_user(
        self,
        aad_token: str,
        client_id: str,
        user_object_id: str,
        **kwargs: Unpack[RequestOptions],
    ) -> AccessToken:
        """Exchanges the Entra token of a Teams user for a token that expires together with it.

        :param str aad_token: The Entra token of the user.
        :param str client_id: The id of the Entra application that the token was issued to.
        :param str user_object_id: The Entra object id of the user that the token was issued for.
        :return: The token with its expiry in Unix seconds.
        :rtype: ~azure.core.credentials.AccessToken
        :raises TypeError: An argument is not a str.
        :raises ValueError: The API version does not know the exchange.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        version = call_version(kwargs, self._api_version)
        body = teams_user_body(aad_token, client_id, user_object_id, version)
        return self._identities.exchange_teams_user_access_token(body, cls=_results.token, **kwargs)

    @distributed_trace
    def get_teams_extension_assignment(
        self, tenant_id: str, object_id: str, **kwargs: Unpack[RequestOptions]
    ) -> TeamsExtensionAssignment:
        """Gets what gives a Teams user or resource account access to the resource.

        :param str tenant_id: The id of the Entra tenant of the object.
        :param str object_id: The Entra object id of a Teams user or resource account.
        :return: The assignment.
        :rtype: ~azure.communication.identity.TeamsExtensionAssignment
        :raises TypeError: An id is not a str.
        :raises ValueError: An id is empty, or the API version does not have this method.
        :raises ~azure.core.exceptions.ResourceNotFoundError: There is no such assignment.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        require_version("get_teams_extension_assignment", call_version(kwargs, self._api_version))
        return self._teams_extension.get_assignment(
            *assignment_ids(tenant_id, object_id), cls=_results.assignment, **kwargs
        )

    @distributed_trace
    def upsert_teams_extension_assignment(
        self,
        tenant_id: str,
        object_id: str,
        principal_type: str | TeamsExtensionPrincipalType,
        *,
        client_ids: Sequence[str] | None = None,
        **kwargs: Unpack[RequestOptions],
    ) -> TeamsExtensionAssignment:
        """Gives a Teams user or resource account access to the resource, or replaces what it has.

        :param str tenant_id: The id of the Entra tenant of the object.
        :param str object_id: The Entra object id of a Teams user or resource account.
        :param principal_type: Which of the two the object is.
        :type principal_type: str or ~azure.communication.identity.TeamsExtensionPrincipalType
        :keyword client_ids: The ids of the Entra applications that may act for the object.
        :paramtype client_ids: list[str] or None
        :return: The assignment as it is now.
        :rtype: ~azure.communication.identity.TeamsExtensionAssignment
        :raises TypeError: An argument is of another type.
        :raises ValueError: An id is empty, or the API version does not have this method.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        require_version(
            "upsert_teams_extension_assignment", call_version(kwargs, self._api_version)
        )
        return self._teams_extension.upsert_assignment(
            *assignment_ids(tenant_id, object_id),
            assignment_body(principal_type, client_ids),
            cls=_results.assignment,
            **kwargs,
        )

    @distributed_trace
    def delete_teams_extension_assignment(
        self, tenant_id: str, object_id: str, **kwargs: Unpack[RequestOptions]
    ) -> None:
        """Takes the access to the resource from a Teams user or resource account.

        :param str tenant_id: The id of the Entra tenant of the object.
        :param str object_id: The Entra object id of a Teams user or resource account.
        :raises TypeError: An id is not a str.
        :raises ValueError: An id is empty, or the API version does not have this method.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        require_version(
            "delete_teams_extension_assignment", call_version(kwargs, self._api_version)
        )
        self._teams_extension.delete_assignment(*assignment_ids(tenant_id, object_id), **kwargs)

    def close(self) -> None:
        """Closes the connections. The client cannot be used any more."""
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
