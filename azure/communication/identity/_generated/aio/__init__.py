# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The async REST client."""

from ._client import CommunicationIdentityClient

__all__ = ["CommunicationIdentityClient"]
