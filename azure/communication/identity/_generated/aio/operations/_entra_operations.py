# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The async operations of entra."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azure.core import AsyncPipelineClient
from azure.core.async_paging import AsyncItemPaged
from azure.core.rest import AsyncHttpResponse, HttpRequest

from ..._messages import JSON, ClsType, T, build_next_page_request, check_status, page, result
from ..._request_builders import (
    build_entra_delete_assignment_request,
    build_entra_exchange_token_request,
    build_entra_get_assignment_request,
    build_entra_list_assignments_request,
    build_entra_update_assignments_request,
    build_entra_upsert_assignment_request,
)
from .._configuration import CommunicationIdentityClientConfiguration

if TYPE_CHECKING:
    from ... import models as _models


class EntraOperations:
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
        """Exchange the Entra token of a user.

        Exchanges the Entra token that authenticates the request for a communication token of the
        same user. An access key cannot authenticate the request.

        API versions: 2025-03-02-preview.

        :param body: An empty object.
        :type body: JSON or ~azure.communication.identity._generated.models.TokenExchangeRequest
        :keyword cls: Converts the response and its JSON to the result.
        :return: The identity of the user, and the token. The JSON of
            CommunicationIdentityAccessTokenResult, or the result of ``cls``.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        request = build_entra_exchange_token_request(
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

    def list_assignments(
        self,
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> AsyncItemPaged[T]:
        """List the Entra assignments.

        Lists the Entra assignments of the resource, in pages.

        API versions: 2025-03-02-preview.

        :keyword cls: Converts the response and the JSON of an item to an item of the result.
        :return: The items of all pages: JSON, or the results of ``cls``.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        api_version = kwargs.pop("api_version", self._config.api_version)
        headers = kwargs.pop("headers", None)
        params = kwargs.pop("params", None)
        error_map = kwargs.pop("error_map", None)

        async def get_next(next_link: str | None) -> AsyncHttpResponse:
            if not next_link:
                request = build_entra_list_assignments_request(
                    api_version=api_version,
                    headers=headers,
                    params=params,
                )
                request.url = self._config.endpoint + request.url
            else:
                request = build_next_page_request(
                    self._config.endpoint, next_link, api_version, headers
                )
            response = await self._client.send_request(request, **kwargs)
            check_status(response, (200,), error_map)
            return response

        async def extract_data(response: AsyncHttpResponse) -> tuple[str | None, list[T]]:
            return page(
                response,
                self._config.endpoint,
                "value",
                "nextLink",
                cls,
            )

        return AsyncItemPaged(get_next, extract_data)

    async def update_assignments(
        self,
        body: "Mapping[str, JSON | _models.EntraAssignmentUpdate | None]",
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> AsyncItemPaged[T]:
        """Create, replace and delete Entra assignments.

        Changes several assignments in one request, as a JSON merge patch (RFC 7396).

        API versions: 2025-03-02-preview.

        :param body: Object ids, each with the assignment to create or replace, or null to delete
            the assignment.
        :type body: ~collections.abc.Mapping[str, JSON or
            ~azure.communication.identity._generated.models.EntraAssignmentUpdate or None]
        :keyword cls: Converts the response and the JSON of an item to an item of the result.
        :return: The items of all pages: JSON, or the results of ``cls``. The first page is the
            response of this call.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        api_version = kwargs.pop("api_version", self._config.api_version)
        headers = kwargs.pop("headers", None)
        params = kwargs.pop("params", None)
        error_map = kwargs.pop("error_map", None)

        async def get_next(next_link: str | None) -> AsyncHttpResponse:
            if not next_link:
                request = build_entra_update_assignments_request(
                    json=body,
                    api_version=api_version,
                    headers=headers,
                    params=params,
                )
                request.url = self._config.endpoint + request.url
            else:
                request = build_next_page_request(
                    self._config.endpoint, next_link, api_version, headers
                )
            response = await self._client.send_request(request, **kwargs)
            check_status(response, (200, 204), error_map)
            return response

        async def extract_data(response: AsyncHttpResponse) -> tuple[str | None, list[T]]:
            return page(
                response,
                self._config.endpoint,
                "value",
                "nextLink",
                cls,
            )

        first_page = await get_next(None)

        async def first_or_next(next_link: str | None) -> AsyncHttpResponse:
            return await get_next(next_link) if next_link else first_page

        return AsyncItemPaged(first_or_next, extract_data)

    async def get_assignment(
        self,
        object_id: str,
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Get an Entra assignment.

        Gets the assignment of a user, group or tenant.

        API versions: 2025-03-02-preview.

        :param str object_id: The Entra object id of the principal.
        :keyword cls: Converts the response and its JSON to the result.
        :return: The assignment. The JSON of EntraAssignment, or the result of ``cls``.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        request = build_entra_get_assignment_request(
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
        object_id: str,
        body: "JSON | _models.EntraAssignmentUpdate",
        *,
        cls: ClsType[T] | None = None,
        **kwargs: Any,
    ) -> T:
        """Create or replace an Entra assignment.

        Allows a user, the members of a group, or the users of a tenant to get tokens through the
        given applications.

        API versions: 2025-03-02-preview.

        :param str object_id: The Entra object id of the principal.
        :param body: The tenant and the type of the principal, and the applications.
        :type body: JSON or ~azure.communication.identity._generated.models.EntraAssignmentUpdate
        :keyword cls: Converts the response and its JSON to the result.
        :return: The assignment. The JSON of EntraAssignment, or the result of ``cls``.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error or an
            invalid response.
        """
        request = build_entra_upsert_assignment_request(
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
        object_id: str,
        **kwargs: Any,
    ) -> None:
        """Delete an Entra assignment.

        Deletes an assignment. Tokens issued because of it are revoked.

        API versions: 2025-03-02-preview.

        :param str object_id: The Entra object id of the principal.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error.
        """
        request = build_entra_delete_assignment_request(
            object_id,
            api_version=kwargs.pop("api_version", self._config.api_version),
            headers=kwargs.pop("headers", None),
            params=kwargs.pop("params", None),
        )
        request.url = self._config.endpoint + request.url
        error_map = kwargs.pop("error_map", None)
        response = await self._client.send_request(request, **kwargs)
        check_status(response, (204,), error_map)
