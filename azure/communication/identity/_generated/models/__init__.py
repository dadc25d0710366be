# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The bodies of requests and responses, as msrest models."""

from .._enums import CommunicationTokenScope, EntraPrincipalType, TeamsExtensionPrincipalType
from ._models import (
    CommunicationError,
    CommunicationErrorResponse,
    CommunicationIdentity,
    CommunicationIdentityAccessToken,
    CommunicationIdentityAccessTokenRequest,
    CommunicationIdentityAccessTokenResult,
    CommunicationIdentityCreateRequest,
    EntraAssignment,
    EntraAssignmentList,
    EntraAssignmentUpdate,
    TeamsExtensionAssignment,
    TeamsExtensionAssignmentRequest,
    TeamsUserExchangeTokenRequest,
    TokenExchangeRequest,
)

__all__ = [
    "CommunicationError",
    "CommunicationErrorResponse",
    "CommunicationIdentity",
    "CommunicationIdentityAccessToken",
    "CommunicationIdentityAccessTokenRequest",
    "CommunicationIdentityAccessTokenResult",
    "CommunicationIdentityCreateRequest",
    "CommunicationTokenScope",
    "EntraAssignment",
    "EntraAssignmentList",
    "EntraAssignmentUpdate",
    "EntraPrincipalType",
    "TeamsExtensionAssignment",
    "TeamsExtensionAssignmentRequest",
    "TeamsExtensionPrincipalType",
    "TeamsUserExchangeTokenRequest",
    "TokenExchangeRequest",
]
