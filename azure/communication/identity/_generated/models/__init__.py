# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The bodies of requests and responses, for whoever wants them typed. They need msrest."""

from .._enums import CommunicationTokenScope, TeamsExtensionPrincipalType
from ._models import (
    CommunicationError,
    CommunicationErrorResponse,
    CommunicationIdentity,
    CommunicationIdentityAccessToken,
    CommunicationIdentityAccessTokenRequest,
    CommunicationIdentityAccessTokenResult,
    CommunicationIdentityCreateRequest,
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
    "TeamsExtensionAssignment",
    "TeamsExtensionAssignmentRequest",
    "TeamsExtensionPrincipalType",
    "TeamsUserExchangeTokenRequest",
    "TokenExchangeRequest",
]
