"""The async client, and the async credential of a user."""

from .._shared.user_credential_async import CommunicationTokenCredential
from ._communication_identity_client_async import CommunicationIdentityClient

__all__ = ["CommunicationIdentityClient", "CommunicationTokenCredential"]
