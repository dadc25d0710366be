from collections.abc import Mapping, Sequence

from azure.core.paging import ItemPaged
from azure.core.tracing.decorator import distributed_trace
from typing_extensions import Unpack

from . import _arguments, _results
from ._api_versions import require_version
from ._generated._enums import EntraPrincipalType, TeamsExtensionPrincipalType
from ._generated.operations import EntraOperations, TeamsExtensionOperations
from ._models import EntraAssignment, EntraAssignmentUpdate, TeamsExtensionAssignment
from ._pipeline.option_checks import checked_version
from ._pipeline.options import RequestOptions


class AssignmentMethods:
    """The methods of :class:`CommunicationIdentityClient` that manage assignments.

    An assignment allows a principal to get tokens through Entra applications.
    """

    _api_version: str
    _entra: EntraOperations
    _teams_extension: TeamsExtensionOperations

    @distributed_trace(name_of_span="CommunicationIdentityClient.get_teams_extension_assignment")
    def get_teams_extension_assignment(
        self, tenant_id: str, object_id: str, **kwargs: Unpack[RequestOptions]
    ) -> TeamsExtensionAssignment:
        """Gets the assignment of a Teams user or resource account.

        .. code-block:: python

            assignment = client.get_teams_extension_assignment(tenant_id, object_id)
            print(assignment.principal_type, assignment.client_ids)

        :param str tenant_id: The id of the principal's Entra tenant.
        :param str object_id: The Entra object id of the principal.
        :return: The assignment.
        :rtype: ~azure.communication.identity.TeamsExtensionAssignment
        :raises TypeError: If an id is not a str.
        :raises ValueError: If an id is empty, or the API version does not support this method.
        :raises ~azure.core.exceptions.ResourceNotFoundError: If there is no such assignment.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        require_version(
            "get_teams_extension_assignment", checked_version(kwargs, self._api_version)
        )
        return self._teams_extension.get_assignment(
            _arguments.entra_id("tenant_id", tenant_id),
            _arguments.entra_id("object_id", object_id),
            cls=_results.teams_extension_assignment,
            **kwargs,
        )

    @distributed_trace(name_of_span="CommunicationIdentityClient.upsert_teams_extension_assignment")
    def upsert_teams_extension_assignment(
        self,
        tenant_id: str,
        object_id: str,
        principal_type: str | TeamsExtensionPrincipalType,
        *,
        client_ids: Sequence[str] | None = None,
        **kwargs: Unpack[RequestOptions],
    ) -> TeamsExtensionAssignment:
        """Creates or replaces the assignment of a Teams user or resource account.

        .. code-block:: python

            client.upsert_teams_extension_assignment(
                tenant_id, object_id, TeamsExtensionPrincipalType.USER, client_ids=[client_id]
            )

        :param str tenant_id: The id of the principal's Entra tenant.
        :param str object_id: The Entra object id of the principal.
        :param principal_type: The type of the principal.
        :type principal_type: str or ~azure.communication.identity.TeamsExtensionPrincipalType
        :keyword client_ids: The ids of the Entra applications that the principal can get tokens
            through. None, the default, omits them from the request.
        :paramtype client_ids: list[str] or None
        :return: The new assignment.
        :rtype: ~azure.communication.identity.TeamsExtensionAssignment
        :raises TypeError: If an argument has the wrong type.
        :raises ValueError: If an id is empty, or the API version does not support this method.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        require_version(
            "upsert_teams_extension_assignment", checked_version(kwargs, self._api_version)
        )
        return self._teams_extension.upsert_assignment(
            _arguments.entra_id("tenant_id", tenant_id),
            _arguments.entra_id("object_id", object_id),
            _arguments.teams_extension_assignment_body(principal_type, client_ids),
            cls=_results.teams_extension_assignment,
            **kwargs,
        )

    @distributed_trace(name_of_span="CommunicationIdentityClient.delete_teams_extension_assignment")
    def delete_teams_extension_assignment(
        self, tenant_id: str, object_id: str, **kwargs: Unpack[RequestOptions]
    ) -> None:
        """Deletes the assignment of a Teams user or resource account.

        The service revokes the tokens issued because of the assignment (API specification).

        .. code-block:: python

            client.delete_teams_extension_assignment(tenant_id, object_id)

        :param str tenant_id: The id of the principal's Entra tenant.
        :param str object_id: The Entra object id of the principal.
        :raises TypeError: If an id is not a str.
        :raises ValueError: If an id is empty, or the API version does not support this method.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        require_version(
            "delete_teams_extension_assignment", checked_version(kwargs, self._api_version)
        )
        self._teams_extension.delete_assignment(
            _arguments.entra_id("tenant_id", tenant_id),
            _arguments.entra_id("object_id", object_id),
            **kwargs,
        )

    @distributed_trace(name_of_span="CommunicationIdentityClient.list_entra_assignments")
    def list_entra_assignments(
        self, **kwargs: Unpack[RequestOptions]
    ) -> ItemPaged[EntraAssignment]:
        """Lists the Entra assignments of the resource. Needs API version 2025-03-02-preview.

        Each page is requested when the iteration reaches it. The options of the call apply to each
        of these requests, but for ``params``, which apply to the first.

        .. code-block:: python

            for assignment in client.list_entra_assignments():
                print(assignment.object_id, assignment.principal_type)

        :return: The assignments. Iterate over them, or over the pages of ``by_page()``.
        :rtype: ~azure.core.paging.ItemPaged[
            ~azure.communication.identity.EntraAssignment]
        :raises ValueError: If the API version does not support this method or, during iteration, if
            the continuation token of ``by_page()`` is not a URL of the endpoint.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        require_version("list_entra_assignments", checked_version(kwargs, self._api_version))
        return self._entra.list_assignments(cls=_results.entra_assignment, **kwargs)

    @distributed_trace(name_of_span="CommunicationIdentityClient.get_entra_assignment")
    def get_entra_assignment(
        self, object_id: str, **kwargs: Unpack[RequestOptions]
    ) -> EntraAssignment:
        """Gets the assignment of a user, group or tenant. Needs API version 2025-03-02-preview.

        .. code-block:: python

            assignment = client.get_entra_assignment(object_id)
            print(assignment.principal_type, assignment.client_ids)

        :param str object_id: The Entra object id of the principal.
        :return: The assignment.
        :rtype: ~azure.communication.identity.EntraAssignment
        :raises TypeError: If the id is not a str.
        :raises ValueError: If the id is empty, or the API version does not support this method.
        :raises ~azure.core.exceptions.ResourceNotFoundError: If there is no such assignment.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        require_version("get_entra_assignment", checked_version(kwargs, self._api_version))
        return self._entra.get_assignment(
            _arguments.entra_id("object_id", object_id), cls=_results.entra_assignment, **kwargs
        )

    @distributed_trace(name_of_span="CommunicationIdentityClient.upsert_entra_assignment")
    def upsert_entra_assignment(
        self,
        object_id: str,
        tenant_id: str,
        principal_type: str | EntraPrincipalType,
        client_ids: Sequence[str],
        **kwargs: Unpack[RequestOptions],
    ) -> EntraAssignment:
        """Creates or replaces the assignment of a user, group or tenant.

        Needs API version 2025-03-02-preview.

        .. code-block:: python

            client.upsert_entra_assignment(
                group_id, tenant_id, EntraPrincipalType.GROUP, [client_id]
            )

        :param str object_id: The Entra object id of the principal.
        :param str tenant_id: The id of the principal's Entra tenant.
        :param principal_type: The type of the principal.
        :type principal_type: str or ~azure.communication.identity.EntraPrincipalType
        :param client_ids: The ids of the Entra applications that the principal can get tokens
            through.
        :type client_ids: list[str]
        :return: The new assignment.
        :rtype: ~azure.communication.identity.EntraAssignment
        :raises TypeError: If an argument has the wrong type.
        :raises ValueError: If an id is empty, or the API version does not support this method.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        require_version("upsert_entra_assignment", checked_version(kwargs, self._api_version))
        return self._entra.upsert_assignment(
            _arguments.entra_id("object_id", object_id),
            _arguments.entra_assignment_body(tenant_id, principal_type, client_ids),
            cls=_results.entra_assignment,
            **kwargs,
        )

    @distributed_trace(name_of_span="CommunicationIdentityClient.delete_entra_assignment")
    def delete_entra_assignment(self, object_id: str, **kwargs: Unpack[RequestOptions]) -> None:
        """Deletes the assignment of a user, group or tenant.

        The service revokes the tokens issued because of the assignment (API specification). Needs
        API version 2025-03-02-preview.

        .. code-block:: python

            client.delete_entra_assignment(object_id)

        :param str object_id: The Entra object id of the principal.
        :raises TypeError: If the id is not a str.
        :raises ValueError: If the id is empty, or the API version does not support this method.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        require_version("delete_entra_assignment", checked_version(kwargs, self._api_version))
        self._entra.delete_assignment(_arguments.entra_id("object_id", object_id), **kwargs)

    @distributed_trace(name_of_span="CommunicationIdentityClient.update_entra_assignments")
    def update_entra_assignments(
        self,
        assignments: Mapping[str, EntraAssignmentUpdate | None],
        **kwargs: Unpack[RequestOptions],
    ) -> ItemPaged[EntraAssignment]:
        """Creates, replaces and deletes several Entra assignments in one request.

        Needs API version 2025-03-02-preview.

        .. code-block:: python

            client.update_entra_assignments({new_id: update, old_id: None})

        :param assignments: For each Entra object id, the new assignment, or None to delete it.
        :type assignments: ~collections.abc.Mapping[str,
            ~azure.communication.identity.EntraAssignmentUpdate or None]
        :return: The assignments in the response: those of the resource after the update, or nothing
            if the service answers with status 204. The update is done when this method returns;
            only further pages are requested during iteration.
        :rtype: ~azure.core.paging.ItemPaged[
            ~azure.communication.identity.EntraAssignment]
        :raises TypeError: If an argument has the wrong type.
        :raises ValueError: If an id is empty, or the API version does not support this method.
        :raises ~azure.core.exceptions.HttpResponseError: If the service returns an error, with its
            code in ``error.error.code``, or an invalid response.
        """
        require_version("update_entra_assignments", checked_version(kwargs, self._api_version))
        return self._entra.update_assignments(
            _arguments.entra_assignments_patch(assignments), cls=_results.entra_assignment, **kwargs
        )
