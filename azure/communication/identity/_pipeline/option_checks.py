"""Checks of the keyword arguments of clients and calls."""

from collections.abc import Mapping
from typing import Any

from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from .._api_versions import version_string
from .._shared.keywords import unknown_keyword
from .options import ClientOptions, RequestOptions

_FOR_A_CLIENT = ClientOptions.__annotations__.keys()
_FOR_A_CALL = RequestOptions.__annotations__.keys()
# Keywords of single methods. They arrive here if passed to another method.
_OF_METHODS = frozenset(["token_expires_in", "custom_id", "client_ids"])
# Set by the pipeline.
_KNOWN_TO_TRANSPORTS = _FOR_A_CALL | {"stream", "insecure_domain_change", "deadline"}


def call_version(options: RequestOptions, client_version: str) -> str:
    """The API version that a call asks for.

    :raises TypeError: If `api_version` is not a str.
    :raises ValueError: If `api_version` is not a valid version.
    """
    version = options.get("api_version", client_version)
    return version if version is client_version else version_string(version)


def refuse_unknown_client_options(options: Mapping[str, Any]) -> None:
    """Rejects unknown keyword arguments of a client.

    :raises TypeError: If an argument is unknown. The message names the most similar option.
    """
    for name in options.keys() - _FOR_A_CLIENT:
        raise TypeError(
            unknown_keyword(name, "CommunicationIdentityClient", {*_FOR_A_CLIENT, "api_version"})
        )


class UnknownOptionsPolicy(SansIOHTTPPolicy[Any, Any]):
    """Rejects keyword arguments of a call that no policy has read.

    The policy runs after those of the user, which may take further arguments, and before
    anything is logged or sent.
    """

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Checks the arguments that are left.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :raises TypeError: If an argument is unknown. The message names the most similar option.
        """
        for name in request.context.options.keys() - _KNOWN_TO_TRANSPORTS:
            raise TypeError(unknown_keyword(name, "The call", _FOR_A_CALL | _OF_METHODS))
