"""What the clients return besides identifiers and tokens."""

from dataclasses import dataclass
from datetime import datetime

from ._generated._enums import TeamsExtensionPrincipalType
from ._shared.identifiers import CommunicationUserIdentifier


@dataclass(frozen=True, kw_only=True)
class CommunicationUserDetail:
    """What the service knows of a user.

    :keyword user: The user.
    :paramtype user: ~azure.communication.identity.CommunicationUserIdentifier
    :keyword custom_id: The id that the creator of the user gave it; None if it gave none.
    :paramtype custom_id: str or None
    :keyword last_token_issued_at: When a token was last issued for the user, in UTC and in whole
        seconds; None if none ever was.
    :paramtype last_token_issued_at: ~datetime.datetime or None
    """

    user: CommunicationUserIdentifier
    custom_id: str | None = None
    last_token_issued_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class TeamsExtensionAssignment:
    """What gives a Teams user or resource account access to a Communication Services resource.

    :keyword str tenant_id: The id of the Entra tenant of the object.
    :keyword str object_id: The Entra object id of the user or resource account.
    :keyword principal_type: What the object is. A value that this version does not know is a plain
        str.
    :paramtype principal_type: ~azure.communication.identity.TeamsExtensionPrincipalType or str
    :keyword client_ids: The ids of the Entra applications that may act for the object.
    :paramtype client_ids: tuple[str, ...]
    """

    tenant_id: str
    object_id: str
    principal_type: TeamsExtensionPrincipalType | str
    client_ids: tuple[str, ...] = ()
