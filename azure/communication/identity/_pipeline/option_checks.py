"""Checks of the keyword arguments of clients and calls."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from .._api_versions import version_string
from .._shared.keywords import unknown_keyword
from .options import ClientOptions, PipelineOptions, RequestOptions

_FOR_A_CLIENT = ClientOptions.__annotations__.keys()
_FOR_A_CALL = RequestOptions.__annotations__.keys()
# Keywords of single methods. They arrive here if passed to another method.
_OF_METHODS = frozenset(["token_expires_in", "custom_id", "client_ids"])
# Keywords of the generated layer and of pipelines, which its operations pass themselves.
_OF_OPERATIONS = frozenset(["body", "cls", "id", "request", "stream", "transport"])
# Set by the pipeline.
_KNOWN_TO_TRANSPORTS = _FOR_A_CALL | {"stream", "insecure_domain_change", "deadline"}


def _maps_to(value: Any, *kinds: type) -> bool:
    return value is None or (
        isinstance(value, Mapping) and all(isinstance(each, kinds) for each in value.values())
    )


def _are_headers(value: Any) -> bool:
    try:
        return _maps_to(value and dict(value), str, bytes)
    except (TypeError, ValueError):  # neither a mapping nor pairs
        return False


def _is_list_of_int(value: Any) -> bool:
    return isinstance(value, Collection) and all(isinstance(each, int) for each in value)


_WHOLE_NUMBER = ("be a whole number", lambda value: isinstance(value, int))
_SECONDS = ("be a number of seconds", lambda value: isinstance(value, int | float))
_STATUSES = ("be a list of status codes, which are ints", _is_list_of_int)
_FUNCTION = ("be a function", lambda value: value is None or callable(value))
# What azure-core or the transport would notice late, after a request was sent perhaps.
_WANTED: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "connection_data_block_size": _WHOLE_NUMBER,
    "headers": ("map names to str", _are_headers),
    "logger": ("be a Logger", lambda value: value is None or hasattr(value, "isEnabledFor")),
    "params": ("map names to str", lambda value: _maps_to(value, str)),
    "proxies": (
        "map schemes to the URLs of proxies",
        lambda value: _maps_to(value, str, type(None)),
    ),
    "raw_request_hook": _FUNCTION,
    "raw_response_hook": _FUNCTION,
    "redirect_max": _WHOLE_NUMBER,
    "redirect_on_status_codes": _STATUSES,
    "request_id": ("be a str", lambda value: isinstance(value, str | None)),
    "retry_backoff_factor": _SECONDS,
    "retry_backoff_max": _SECONDS,
    "retry_connect": _WHOLE_NUMBER,
    "retry_on_methods": (
        "be a list of HTTP methods",
        lambda value: isinstance(value, Collection | None),
    ),
    "retry_on_status_codes": _STATUSES,
    "retry_read": _WHOLE_NUMBER,
    "retry_status": _WHOLE_NUMBER,
    "retry_total": _WHOLE_NUMBER,
}


def checked_version(options: RequestOptions, client_version: str) -> str:
    """Checks the options of a call.

    :return: The API version that the call asks for.
    :raises TypeError: If an option has the wrong type, or is one of another layer.
    :raises ValueError: If `api_version` is not a valid version.
    """
    check_call_options(options)
    version = options.get("api_version", client_version)
    return version if version is client_version else version_string(version)


def check_call_options(options: PipelineOptions) -> None:
    """Checks the options of a call, but for those that no policy reads.

    :raises TypeError: If an option has the wrong type, or is one of another layer.
    """
    for name in options:
        if name in _OF_OPERATIONS:
            raise TypeError(unknown_keyword(name, "The call", ()))
    _check_types(options)


def check_client_options(
    options: Mapping[str, Any],
    owner: str = "CommunicationIdentityClient",
    others: Collection[str] = ("api_version",),
) -> None:
    """Checks the keyword arguments of a client.

    :param options: The keyword arguments.
    :param str owner: The name of the class.
    :param others: Its keyword arguments that are no options, for the message.
    :raises TypeError: If an argument has the wrong type or is unknown. The message names the most
        similar option.
    """
    for name in options.keys() - _FOR_A_CLIENT:
        raise TypeError(unknown_keyword(name, owner, {*_FOR_A_CLIENT, *others}))
    _check_types(options)


def _check_types(options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        wanted = _WANTED.get(name)
        if wanted is not None and not wanted[1](value):
            # Not the value, which may be a secret.
            raise TypeError(f"{name} must {wanted[0]}. It is a {type(value).__name__}.")


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
