"""The values that the clients take and return, besides identifiers and tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ._generated._enums import EntraPrincipalType, TeamsExtensionPrincipalType
from ._shared.identifiers import CommunicationUserIdentifier


@dataclass(frozen=True, kw_only=True)
class CommunicationUserDetail:
    """The details of a user.

    :keyword user: The user.
    :paramtype user: ~azure.communication.identity.CommunicationUserIdentifier
    :keyword custom_id: The id that the creator gave the user, or None.
    :paramtype custom_id: str or None
    :keyword last_token_issued_at: The time the last token was issued for the user, UTC, in whole
        seconds. None if no token was issued.
    :paramtype last_token_issued_at: ~datetime.datetime or None
    """

    user: CommunicationUserIdentifier
    custom_id: str | None = None
    last_token_issued_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class TeamsExtensionAssignment:
    """Allows a Teams user or resource account to get tokens through Entra applications.

    :keyword str tenant_id: The id of the principal's Entra tenant.
    :keyword str object_id: The Entra object id of the principal.
    :keyword principal_type: The type of the principal; a str if this library does not know the
        type.
    :paramtype principal_type: ~azure.communication.identity.TeamsExtensionPrincipalType or str
    :keyword client_ids: The ids of the Entra applications.
    :paramtype client_ids: tuple[str, ...]
    """

    tenant_id: str
    object_id: str
    principal_type: TeamsExtensionPrincipalType | str
    client_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EntraAssignment:
    """Allows a user, the members of a group, or the users of a tenant to get tokens through Entra
    applications.

    :keyword str object_id: The Entra object id of the principal.
    :keyword str tenant_id: The id of the principal's Entra tenant.
    :keyword principal_type: The type of the principal; a str if this library does not know the
        type.
    :paramtype principal_type: ~azure.communication.identity.EntraPrincipalType or str
    :keyword client_ids: The ids of the Entra applications.
    :paramtype client_ids: tuple[str, ...]
    """

    object_id: str
    tenant_id: str
    principal_type: EntraPrincipalType | str
    client_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EntraAssignmentUpdate:
    """The new assignment of an object id in ``update_entra_assignments``.

    .. code-block:: python

        EntraAssignmentUpdate(
            tenant_id=tenant_id, principal_type=EntraPrincipalType.USER, client_ids=[client_id]
        )

    :keyword str tenant_id: The id of the principal's Entra tenant.
    :keyword principal_type: The type of the principal.
    :paramtype principal_type: ~azure.communication.identity.EntraPrincipalType or str
    :keyword client_ids: The ids of the Entra applications.
    :paramtype client_ids: list[str]
    """

    tenant_id: str
    principal_type: EntraPrincipalType | str
    client_ids: Sequence[str]
