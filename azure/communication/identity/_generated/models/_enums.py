# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""The path of the enums in azure-communication-identity 1.5.0, which its pickles name."""

from .._enums import CommunicationTokenScope, EntraPrincipalType, TeamsExtensionPrincipalType

__all__ = [
    "CommunicationTokenScope",
    "EntraPrincipalType",
    "TeamsExtensionPrincipalType",
]
