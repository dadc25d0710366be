"""The path by which other code imports the identifiers."""

from .enums import CommunicationCloudEnvironment, CommunicationIdentifierKind
from .identifier_base import CommunicationIdentifier
from .identifiers import (
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
    _MicrosoftBotIdentifier,
)
from .identifiers import _TeamsAppProperties as _botbackcompatdict  # named in pickles of 1.5.0
from .raw_ids import identifier_from_raw_id

__all__ = [
    "CommunicationCloudEnvironment",
    "CommunicationIdentifier",
    "CommunicationIdentifierKind",
    "CommunicationUserIdentifier",
    "CommunicationUserProperties",
    "MicrosoftTeamsAppIdentifier",
    "MicrosoftTeamsAppProperties",
    "MicrosoftTeamsUserIdentifier",
    "MicrosoftTeamsUserProperties",
    "PhoneNumberIdentifier",
    "PhoneNumberProperties",
    "TeamsExtensionUserIdentifier",
    "TeamsExtensionUserProperties",
    "UnknownIdentifier",
    "_MicrosoftBotIdentifier",
    "_botbackcompatdict",
    "identifier_from_raw_id",
]
