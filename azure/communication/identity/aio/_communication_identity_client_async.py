from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType

from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.tracing.decorator_async import distributed_trace_async
from typing_extensions import Self, Unpack

from .. import _results
from .._api_versions import DEFAULT_VERSION, ApiVersion, version_string
from .._arguments import create_body, endpoint_url, issue_body, teams_user_body, user_id
from .._generated._enums import CommunicationTokenScope
from .._generated.aio import CommunicationIdentityClient as _RestClient
from .._options import AsyncClientOptions, RequestOptions, call_version
from .._pipeline import async_arguments
from .._shared.identifiers import CommunicationUserIdentifier
from .._shared.utils import parse_connection_str


class CommunicationIdentityClient:
    """Creates users of a Communication Services resource, and issues and revokes their tokens.

    A client may be shared by the tasks of an event loop, and keeps its connections open: make one
    and keep it. Keyword arguments that are not listed go to the azure-core pipeline, such as
    ``transport``, ``retry_total`` or ``logging_enable``.

    :param str endpoint: The endpoint of the resource, such as
        ``https://my-resource.communication.azure.com``.
    :param credential: An access key of the resource, or an Entra credential such as
        ``azure.identity.aio.DefaultAzureCredential()``.
    :type credential: str or ~azure.core.credentials.AzureKeyCredential or
        ~azure.core.credentials_async.AsyncTokenCredential
    :keyword api_version: The version of the REST API to ask for, ``2025-06-30`` by default. One
        that this library does not know is passed on.
    :paramtype api_version: str or ~azure.communication.identity.ApiVersion
    :raises TypeError: An argument is of another type, or a keyword argument is not known.
    :raises ValueError: The endpoint is not a URL, or the access key is not base64.
    :raises ImportError: aiohttp is not installed, and no other transport is given.
    """

    def __init__(
        self,
        endpoint: str,
        credential: AsyncTokenCredential | AzureKeyCredential | str,
        *,
        api_version: str | ApiVersion = DEFAULT_VERSION,
        **kwargs: Unpack[AsyncClientOptions],
    ) -> None:
        url = endpoint_url(endpoint)
        self._api_version = version_string(api_version)
        self._client = _RestClient(
            url, api_version=self._api_version, **async_arguments(url, credential, kwargs)
        )
        self._identities = self._client.communication_identity

    @classmethod
    def from_connection_string(
        cls,
        conn_str: str,
        *,
        api_version: str | ApiVersion = DEFAULT_VERSION,
        **kwargs: Unpack[AsyncClientOptions],
    ) -> Self:
        """Makes a client from a connection string.

        :param str conn_str: ``endpoint=https://<resource>.communication.azure.com/;accesskey=<key>``,
            from the Keys page of the resource in the Azure portal.
        :keyword api_version: The version of the REST API to ask for, ``2025-06-30`` by default.
        :paramtype api_version: str or ~azure.communication.identity.ApiVersion
        :return: A client.
        :rtype: ~azure.communication.identity.aio.CommunicationIdentityClient
        :raises TypeError: An argument is of another type, or a keyword argument is not known.
        :raises ValueError: A part is missing or given twice, the endpoint is not a URL, or the
            access key is not base64.
        """
        endpoint, access_key = parse_connection_str(conn_str)
        return cls(endpoint, access_key, api_version=api_version, **kwargs)

    @distributed_trace_async
    async def create_user(self, **kwargs: Unpack[RequestOptions]) -> CommunicationUserIdentifier:
        """Creates a user.

        When the service answers with 500, 503 or 504 the request is sent again, which may leave a
        second user behind. ``retry_status=0`` turns that off.

        :return: The user.
        :rtype: ~azure.communication.identity.CommunicationUserIdentifier
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        call_version(kwargs, self._api_version)
        return await self._identities.create(cls=_results.user, **kwargs)

    @distributed_trace_async
    async def create_user_and_token(
        self,
        scopes: Sequence[str | CommunicationTokenScope],
        *,
        token_expires_in: timedelta | None = None,
        **kwargs: Unpack[RequestOptions],
    ) -> tuple[CommunicationUserIdentifier, AccessToken]:
        """Creates a user and issues a token for it, in one request.

        When the service answers with 500, 503 or 504 the request is sent again, which may leave a
        second user behind. ``retry_status=0`` turns that off.

        :param scopes: What the token gives access to; at least one scope.
        :type scopes: list[str or ~azure.communication.identity.CommunicationTokenScope]
        :keyword token_expires_in: How long the token is valid, in whole minutes (a part of one is
            cut off). The service takes 1 to 24 hours, and 24 hours by default.
        :paramtype token_expires_in: ~datetime.timedelta or None
        :return: The user, and the token with its expiry in Unix seconds.
        :rtype: tuple[~azure.communication.identity.CommunicationUserIdentifier,
            ~azure.core.credentials.AccessToken]
        :raises TypeError: An argument is of another type.
        :raises ValueError: There are no scopes, or the API version does not know the expiry.
        :raises ~azure.core.exceptions.HttpResponseError: The service refused, or did not answer as
            it should. ``error.code`` and ``error.message`` are the service's own.
        """
        version = call_version(kwargs, self._api_version)
        body = create_body(scopes, token_expires_in, version)
        return await self._identities.create(body, cls=_results.user_and_token, **kwargs)

    @distributed_trace_async
    async def get_token(
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
        return await self._identities.issue_access_token(
            user_id(user), body, cls=_results.token, **kwargs
        )

    @distributed_trace_async
    async def revoke_tokens(
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
        await self._identities.revoke_access_tokens(user_id(user), **kwargs)

    @distributed_trace_async
    async def delete_user(
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
        await self._identities.delete(user_id(user), **kwargs)

    @distributed_trace_async
    async def get_token_for_teams_user(
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
        return await self._identities.exchange_teams_user_access_token(
            body, cls=_results.token, **kwargs
        )

    async def close(self) -> None:
        """Closes the connections. The client cannot be used any more."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._client.__aexit__(exc_type, exc_value, traceback)
