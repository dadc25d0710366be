"""The exceptions of both transports.

Nothing sent: ``ServiceRequestError``. Sent, and no complete response: ``ServiceResponseError``.
Timeouts are subclasses of these. azure-core's ``IncompleteReadError`` is not used: it is an
``HttpResponseError``, without a status.

Messages and causes hold nothing of the libraries below: their texts show addresses of objects,
passwords of proxies, and bytes of responses, tokens included.
"""

import zlib
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from ._attempt import Attempt

COMMON: tuple[type[BaseException], ...] = (
    HTTPException,
    OSError,
    ValueError,
    ArithmeticError,
    LookupError,
    MemoryError,
    RecursionError,
    zlib.error,
)
"""What the standard library raises for a response that is malformed or too large."""

_OF_THE_SYSTEM = {"builtins", "socket", "ssl"}


class InvalidResponseError(HTTPException, ValueError):
    """A response that violates HTTP or a limit. The message holds nothing of the response."""


class InvalidSettingError(Exception):
    """An option that cannot be used, such as the path of a missing file."""


class ProxyStatusError(Exception):
    """A proxy that opens no tunnel. The message holds nothing of its response.

    :param int status: The status that the proxy answered with.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"the proxy answered with the status {status}.")
        self.is_lasting = 400 <= status < 500


def new_error(kind: type[AzureError], message: str, cause: BaseException | None) -> AzureError:
    """An exception without the exceptions of other libraries.

    azure-core adds what is being handled to each new exception, with its traceback.
    """
    error = kind(message, error=cause)
    error.exc_type = None if cause is None else type(cause)
    error.exc_value = cause
    error.exc_traceback = None
    error.exc_msg = message
    error.__cause__ = cause
    return error


def failure(error: BaseException, attempt: Attempt, peer: str, *, is_timeout: bool) -> AzureError:
    """The exception for a failed attempt.

    :param error: What a library raised.
    :param attempt: The attempt.
    :param str peer: Scheme, host and port of the server.
    :keyword bool is_timeout: Whether the library says that time ran out.
    """
    cause = _system_error(error)
    reason = _reason(error, cause)
    is_timeout = is_timeout or isinstance(cause or error, TimeoutError)
    if attempt.is_aborted:
        aborted = ServiceResponseError if attempt.is_sent else ServiceRequestError
        return new_error(aborted, f"The client was closed during a request to {peer}.", None)
    if not attempt.is_sent:
        if is_timeout:
            message = f"Could not connect to {peer} in time."
            return new_error(ServiceRequestTimeoutError, message, None)
        if cause is None and not _is_lasting(error):
            cause = ConnectionError(reason)  # the retry policy repeats what has a cause
        return new_error(ServiceRequestError, f"Could not connect to {peer}: {reason}", cause)
    if is_timeout:
        message = f"{peer} sent no complete response in time."
        return new_error(ServiceResponseTimeoutError, message, None)
    return new_error(ServiceResponseError, f"{peer} sent no complete response: {reason}", cause)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those below it, each once."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [*current.args, current.__cause__, current.__context__]


def _system_error(error: BaseException) -> OSError | None:
    """The error of the operating system or of TLS, alone."""
    for each in chain(error):
        if isinstance(each, OSError) and type(each).__module__ in _OF_THE_SYSTEM:
            each.__cause__ = each.__context__ = None
            return each.with_traceback(None)
    return None


def _is_lasting(error: BaseException) -> bool:
    """Whether the request cannot succeed."""
    return any(
        isinstance(each, InvalidSettingError | UnicodeError)
        or type(each).__name__ in _INVALID_URLS
        or getattr(each, "is_lasting", False)
        for each in chain(error)
    )


def _reason(error: BaseException, cause: OSError | None) -> str:
    for each in chain(error):
        if isinstance(each, InvalidResponseError | InvalidSettingError | ProxyStatusError):
            return str(each)
    if cause is not None:
        text = getattr(cause, "verify_message", None) or cause.strerror or str(cause)
        return f"{str(text).rstrip('.') or type(cause).__name__}."
    return _REASONS.get(type(error).__name__, "the response is malformed or was cut short.")


_INVALID_URLS = ("InvalidURL", "LocationParseError")

_REASONS = {
    "ServerDisconnectedError": "the connection was closed.",
    "RemoteDisconnected": "the connection was closed.",
    **dict.fromkeys(_INVALID_URLS, "the URL is invalid."),
}
