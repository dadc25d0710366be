"""Manages the users of Azure Communication Services and their access tokens."""

from ._api_versions import ApiVersion
from ._communication_identity_client import CommunicationIdentityClient
from ._generated._enums import (
    CommunicationTokenScope,
    EntraPrincipalType,
    TeamsExtensionPrincipalType,
)
from ._models import (
    CommunicationUserDetail,
    EntraAssignment,
    EntraAssignmentUpdate,
    TeamsExtensionAssignment,
)
from ._shared.models import (
    CommunicationCloudEnvironment,
    CommunicationIdentifier,
    CommunicationIdentifierKind,
    CommunicationUserIdentifier,
    CommunicationUserProperties,
    MicrosoftTeamsAppIdentifier,
    MicrosoftTeamsAppProperties,
    MicrosoftTeamsUserIdentifier,
    MicrosoftTeamsUserProperties,
    PhoneNumberIdentifier,
    PhoneNumberProperties,
    TeamsExtensionUserIdentifier,
    TeamsExtensionUserProperties,
    UnknownIdentifier,
    identifier_from_raw_id,
)
from ._shared.user_credential import CommunicationTokenCredential
from ._shared.utils import parse_connection_string
from ._version import VERSION

__version__ = VERSION

__all__ = [
    "ApiVersion",
    "CommunicationCloudEnvironment",
    "CommunicationIdentifier",
    "CommunicationIdentifierKind",
    "CommunicationIdentityClient",
    "CommunicationTokenCredential",
    "CommunicationTokenScope",
    "CommunicationUserDetail",
    "CommunicationUserIdentifier",
    "CommunicationUserProperties",
    "EntraAssignment",
    "EntraAssignmentUpdate",
    "EntraPrincipalType",
    "MicrosoftTeamsAppIdentifier",
    "MicrosoftTeamsAppProperties",
    "MicrosoftTeamsUserIdentifier",
    "MicrosoftTeamsUserProperties",
    "PhoneNumberIdentifier",
    "PhoneNumberProperties",
    "TeamsExtensionAssignment",
    "TeamsExtensionPrincipalType",
    "TeamsExtensionUserIdentifier",
    "TeamsExtensionUserProperties",
    "UnknownIdentifier",
    "identifier_from_raw_id",
    "parse_connection_string",
]
