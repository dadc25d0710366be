"""The async client."""

from ._communication_identity_client_async import CommunicationIdentityClient

__all__ = ["CommunicationIdentityClient"]
