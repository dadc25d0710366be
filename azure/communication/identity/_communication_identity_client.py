from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType

from azure.core.credentials import AccessToken, AzureKeyCredential, TokenCredential
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.tracing.decorator import distributed_trace
from typing_extensions import Self, Unpack

from . import _arguments, _results
from ._api_versions import DEFAULT_VERSION, ApiVersion, require_version, version_string
from ._assignment_methods import AssignmentMethods
from ._generated import CommunicationIdentityClient as _RestClient
from ._generated._enums import CommunicationTokenScope
from ._models import CommunicationUserDetail
from ._pipeline.assembly import sync_pipeline_options
from ._pipeline.option_checks import check_call_options, checked_version
from ._pipeline.options import ClientOptions, PipelineOptions, RequestOptions
from ._pipeline.tracing import INSTRUMENTATION
from ._shared.identifiers import CommunicationUserIdentifier
from ._shared.urls import endpoint_url
from ._shared.utils import parse_connection_string


class CommunicationIdentityClient(AssignmentMethods):
    """A client for the users of a Communication Services resource and their access tokens.

    Threads can share a client. A client keeps its connections open: create one
    and reuse it. Other keyword arguments, such as ``transport``, ``retry_total`` or
    ``logging_enable``, go to the azure-core pipeline.

    :param str endpoint: The endpoint of the resource, such as
        ``https://my-resource.communication.azure.com``.
    :param credential: An access key of the resource, or an Entra credential such as
        ``azure.identity.DefaultAzureCredential()``.
    :type credential: str or ~azure.core.credentials.AzureKeyCredential or
        ~azure.core.credentials.TokenCredential
    :keyword api_version: The API version of the requests, ``2025-06-30`` by default. A version that
        this library does not know is passed on.
    :paramtype api_version: str or ~azure.communication.identity.ApiVersion
    :raises TypeError: If an argument has the wrong type, or a keyword argument is unknown.
    :raises ValueError: If the endpoint is not a URL, the access key is not base64, the credential
        is None, the API version is malformed, or options exclude each other.

    .. code-block:: python

        with CommunicationIdentityClient(endpoint, DefaultAzureCredential()) as client:
            user, token = client.create_user_and_token([CommunicationTokenScope.CHAT])
    """

    _instrumentation_config = INSTRUMENTATION

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
        self._entra = self._client.entra

    @classmethod
    def from_connection_string(
        cls,
        conn_str: str,
        *,
        api_version: str | ApiVersion = DEFAULT_VERSION,
        **kwargs: Unpack[ClientOptions],
    ) -> Self:
        """Creates a client from a connection string.

        :param str conn_str: ``endpoint=https://<resource>.communication.azure.com/;accesskey=<key>``,
            from the Keys page of the resource in the Azure portal.
        :keyword api_version: The API version of the requests, ``2025-06-30`` by default.
        :paramtype api_version: str or ~azure.communication.identity.ApiVersion
        :return: A client.
        :rtype: ~azure.communication.identity.CommunicationIdentityClient
        :raises TypeError: If an argument has the wrong type, or a keyword argument is unknown.
        :raises ValueError: If a part is missing or doubled, the endpoint is not a URL, the access
            key is not base64, the connection string is None, the API version is malformed, or
            options exclude each other.
        """
        endpoint, access_key = parse_connection_string(conn_str)
        return cls(endpoint, access_key, api_version=api_version, **kwargs)

    @distributed_trace
    def create_user(
        self, *, custom_id: str | None = None, **kwargs: Unpack[RequestOptions]
    ) -> CommunicationUserIdentifier:
        """Creates a user.

        Without a ``custom_id`` the call is retried only if the service cannot have created a user.

        .. code-block:: python

            user = client.create_user()
            print(user.raw_id)

        :keyword custom_id: An id of your own for the user, 1 to 256 characters (API specification).
            If a user with this id exists, it is returned. Needs API version 2025-03-02-preview.
        :paramtype custom_id: str or None
        :return: The user.
        :rtype: ~azure.communication.identity.CommunicationUserIdentifier
        :raises TypeError: If the custom id is not a str.
        :raises ValueError: If the custom id is empty, or the API version does not support it.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        version = checked_version(kwargs, self._api_version)
        body = _arguments.user_body(custom_id, version)
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

        Without a ``custom_id`` the call is retried only if the service cannot have created a user.

        .. code-block:: python

            user, token = client.create_user_and_token(
                [CommunicationTokenScope.CHAT], token_expires_in=timedelta(hours=1)
            )

        :param scopes: The scopes of the token, at least one.
        :type scopes: list[str or ~azure.communication.identity.CommunicationTokenScope]
        :keyword custom_id: An id of your own for the user, 1 to 256 characters (API specification).
            If a user with this id exists, it is returned. Needs API version 2025-03-02-preview.
        :paramtype custom_id: str or None
        :keyword token_expires_in: The lifetime of the token, rounded down to whole minutes. The
            service accepts 1 to 24 hours; its default is 24 hours (API specification).
        :paramtype token_expires_in: ~datetime.timedelta or None
        :return: The user, and the token with its expiry as Unix time.
        :rtype: tuple[~azure.communication.identity.CommunicationUserIdentifier,
            ~azure.core.credentials.AccessToken]
        :raises TypeError: If an argument has the wrong type.
        :raises ValueError: If there are no scopes, the custom id is empty, or the API version does
            not support an argument.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        version = checked_version(kwargs, self._api_version)
        body = _arguments.user_and_token_body(scopes, token_expires_in, custom_id, version)
        return self._identities.create(body, cls=_results.user_and_token, **kwargs)

    @distributed_trace
    def get_user_detail(
        self, user: CommunicationUserIdentifier | str, **kwargs: Unpack[RequestOptions]
    ) -> CommunicationUserDetail:
        """Gets the custom id of a user and the time of its last token.

        Needs API version 2025-03-02-preview.

        .. code-block:: python

            detail = client.get_user_detail(user)
            print(detail.custom_id, detail.last_token_issued_at)

        :param user: The user, or its raw id.
        :type user: ~azure.communication.identity.CommunicationUserIdentifier or str
        :return: The details of the user.
        :rtype: ~azure.communication.identity.CommunicationUserDetail
        :raises TypeError: If ``user`` has the wrong type.
        :raises ValueError: If the id is empty, or the API version does not support this method.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        require_version("get_user_detail", checked_version(kwargs, self._api_version))
        return self._identities.get(_arguments.user_id(user), cls=_results.user_detail, **kwargs)

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

        .. code-block:: python

            token = client.get_token(user, [CommunicationTokenScope.CHAT])

        :param user: The user, or its raw id.
        :type user: ~azure.communication.identity.CommunicationUserIdentifier or str
        :param scopes: The scopes of the token, at least one.
        :type scopes: list[str or ~azure.communication.identity.CommunicationTokenScope]
        :keyword token_expires_in: The lifetime of the token, rounded down to whole minutes. The
            service accepts 1 to 24 hours; its default is 24 hours (API specification).
        :paramtype token_expires_in: ~datetime.timedelta or None
        :return: The token with its expiry as Unix time.
        :rtype: ~azure.core.credentials.AccessToken
        :raises TypeError: If an argument has the wrong type.
        :raises ValueError: If the id is empty, there are no scopes, or the API version does not
            support the lifetime.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        version = checked_version(kwargs, self._api_version)
        body = _arguments.issue_body(scopes, token_expires_in, version)
        return self._identities.issue_access_token(
            _arguments.user_id(user), body, cls=_results.token, **kwargs
        )

    @distributed_trace
    def revoke_tokens(
        self, user: CommunicationUserIdentifier | str, **kwargs: Unpack[RequestOptions]
    ) -> None:
        """Revokes all tokens issued for a user.

        The revocation can take up to 15 minutes to take effect (documentation of the service).

        .. code-block:: python

            client.revoke_tokens(user)

        :param user: The user, or its raw id.
        :type user: ~azure.communication.identity.CommunicationUserIdentifier or str
        :raises TypeError: If ``user`` has the wrong type.
        :raises ValueError: If the id is empty.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        checked_version(kwargs, self._api_version)
        self._identities.revoke_access_tokens(_arguments.user_id(user), **kwargs)

    @distributed_trace
    def delete_user(
        self, user: CommunicationUserIdentifier | str, **kwargs: Unpack[RequestOptions]
    ) -> None:
        """Deletes a user and revokes all tokens issued for it.

        .. code-block:: python

            client.delete_user(user)

        :param user: The user, or its raw id.
        :type user: ~azure.communication.identity.CommunicationUserIdentifier or str
        :raises TypeError: If ``user`` has the wrong type.
        :raises ValueError: If the id is empty.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        checked_version(kwargs, self._api_version)
        self._identities.delete(_arguments.user_id(user), **kwargs)

    @distributed_trace
    def get_token_for_teams_user(
        self,
        aad_token: str,
        client_id: str,
        user_object_id: str,
        **kwargs: Unpack[RequestOptions],
    ) -> AccessToken:
        """Exchanges the Entra token of a Teams user for a token that expires at the same time.

        .. code-block:: python

            token = client.get_token_for_teams_user(aad_token, client_id, user_object_id)

        :param str aad_token: The Entra token of the user.
        :param str client_id: The id of the Entra application that the token was issued to.
        :param str user_object_id: The Entra object id of the user that the token was issued for.
        :return: The token with its expiry as Unix time.
        :rtype: ~azure.core.credentials.AccessToken
        :raises TypeError: If an argument is not a str.
        :raises ValueError: If the API version does not support this method.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        version = checked_version(kwargs, self._api_version)
        body = _arguments.teams_user_body(aad_token, client_id, user_object_id, version)
        return self._identities.exchange_teams_user_access_token(body, cls=_results.token, **kwargs)

    def send_request(
        self, request: HttpRequest, *, stream: bool = False, **kwargs: Unpack[PipelineOptions]
    ) -> HttpResponse:
        """Sends a request with the authentication, retries and logging of this client.

        Method, body and query are those of the request, whose URL must have the ``api-version``.
        No status raises an error; :meth:`~azure.core.rest.HttpResponse.raise_for_status` does.
        With ``redact_user_ids``, the response has the user ids, since it is what the caller asked
        for, and the error of ``raise_for_status`` does not.

        .. code-block:: python

            request = HttpRequest("GET", "/access/entra/assignments?api-version=2025-03-02-preview")
            response = client.send_request(request)

        :param request: The request. A relative URL is appended to the endpoint.
        :type request: ~azure.core.rest.HttpRequest
        :keyword bool stream: Whether to leave the body of the response unread. False by default.
        :rtype: ~azure.core.rest.HttpResponse
        :raises TypeError: If the request has the wrong type, a keyword argument is unknown, or an
            access key must sign a body that is a stream.
        :raises ValueError: If the URL leads to another scheme, host or port, where the credentials
            must not be sent, or its path has ``.`` or ``..``.
        :raises ~azure.core.exceptions.AzureError: If there is no response.
        """
        check_call_options(kwargs)
        return self._client.send_request(
            _arguments.request_to_send(request, kwargs), stream=stream, **kwargs
        )

    def close(self) -> None:
        """Closes the connections. The client cannot be used afterwards."""
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
