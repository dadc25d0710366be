"""The choice of the authentication policy by the type of the credential."""

from typing import Any

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    BearerTokenCredentialPolicy,
)

from .bearer import AsyncEntraPolicy, EntraPolicy
from .policy import HMACCredentialsPolicy
from .tokens import refuse_async, refuse_sync

_SCOPE = "https://communication.azure.com//.default"  # the two slashes are right


def get_authentication_policy(
    endpoint: str,
    credential: TokenCredential | AsyncTokenCredential | AzureKeyCredential | str,
    decode_url: bool = False,
    is_async: bool = False,
) -> (
    AsyncBearerTokenCredentialPolicy[Any, Any]
    | BearerTokenCredentialPolicy[Any, Any]
    | HMACCredentialsPolicy
):
    """Returns the policy that authenticates with a credential.

    :param str endpoint: The endpoint of the resource.
    :param credential: An access key, or an Entra credential.
    :type credential: ~azure.core.credentials.TokenCredential or
        ~azure.core.credentials_async.AsyncTokenCredential or
        ~azure.core.credentials.AzureKeyCredential or str
    :param bool decode_url: See :class:`HMACCredentialsPolicy`.
    :param bool is_async: Whether the pipeline is async.
    :raises TypeError: If the credential has an unsupported type, is async in a sync pipeline, or is
        a sync context manager in an async one, as those of azure-identity are.
    :raises ValueError: If the credential is None, or its key is not base64.
    """
    if credential is None:
        raise ValueError(f"credential must not be None: pass {_EXPECTED}.")
    if isinstance(credential, str | AzureKeyCredential):
        return HMACCredentialsPolicy(endpoint, credential, decode_url=decode_url)
    if hasattr(credential, "get_token") or hasattr(credential, "get_token_info"):
        if is_async:
            refuse_sync("credential", credential, "CommunicationIdentityClient")
            return AsyncEntraPolicy(credential, _SCOPE)  # type: ignore[arg-type]
        refuse_async("credential", credential, "CommunicationIdentityClient")
        return EntraPolicy(credential, _SCOPE)  # type: ignore[arg-type]
    raise TypeError(f"credential must be {_EXPECTED}, not {type(credential).__name__}.")


_EXPECTED = (
    "an access key (a str or an AzureKeyCredential) or an Entra credential such as "
    "azure.identity.DefaultAzureCredential"
)
