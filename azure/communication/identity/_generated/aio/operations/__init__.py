# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The async operation groups."""

from ._communication_identity_operations import CommunicationIdentityOperations
from ._entra_operations import EntraOperations
from ._teams_extension_operations import TeamsExtensionOperations

__all__ = [
    "CommunicationIdentityOperations",
    "EntraOperations",
    "TeamsExtensionOperations",
]
