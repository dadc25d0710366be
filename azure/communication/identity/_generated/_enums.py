# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The values that the service lists."""

from enum import Enum

from azure.core import CaseInsensitiveEnumMeta


class CommunicationTokenScope(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """What a token gives access to. The service may add to the list."""

    CHAT = "chat"
    """Everything that the Chat APIs offer."""
    VOIP = "voip"
    """Everything that the Calling APIs offer."""
    CHAT_JOIN = "chat.join"
    """The Chat APIs, except to create, update or delete threads."""
    CHAT_JOIN_LIMITED = "chat.join.limited"
    """As chat.join, except to add or remove participants as well."""
    VOIP_JOIN = "voip.join"
    """The Calling APIs, except to start calls."""


class TeamsExtensionPrincipalType(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """What the object of an assignment is. The service may add to the list."""

    USER = "user"
    """A user of Microsoft Teams."""
    RESOURCE_ACCOUNT = "resourceAccount"
    """A resource account of Microsoft Teams."""
