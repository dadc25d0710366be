"""Users of Azure Communication Services, and the access tokens that let them chat and call."""

from ._api_versions import ApiVersion
from ._communication_identity_client import CommunicationIdentityClient
from ._generated._enums import CommunicationTokenScope, TeamsExtensionPrincipalType
from ._models import CommunicationUserDetail, TeamsExtensionAssignment
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
]
