# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The extensible enums of the service."""

from enum import Enum

from azure.core import CaseInsensitiveEnumMeta


class CommunicationTokenScope(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """The scopes of an access token. The service may add values."""

    CHAT = "chat"
    """All of the Chat APIs."""
    VOIP = "voip"
    """All of the Calling APIs."""
    CHAT_JOIN = "chat.join"
    """The Chat APIs, except to create, update or delete threads."""
    CHAT_JOIN_LIMITED = "chat.join.limited"
    """The Chat APIs, except to create, update or delete threads, and to add or remove
    participants."""
    VOIP_JOIN = "voip.join"
    """The Calling APIs, except to start calls."""


class TeamsExtensionPrincipalType(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """The type of the principal of a Teams extension assignment. The service may add values."""

    USER = "user"
    """A user of Microsoft Teams."""
    RESOURCE_ACCOUNT = "resourceAccount"
    """A resource account of Microsoft Teams, as the API specification names it."""
    TEAMS_RESOURCE_ACCOUNT = "teamsResourceAccount"
    """A resource account of Microsoft Teams, as the public REST reference names it. It is not known
    which of the two names the service accepts: if it rejects one, use the other."""


class EntraPrincipalType(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """The type of the principal of an Entra assignment. The service may add values."""

    USER = "user"
    """A user."""
    GROUP = "group"
    """A group: each of its members is allowed."""
    TENANT = "tenant"
    """A tenant: each of its users is allowed."""
