"""Which operations are repeated after which failures.

``python tools/retry_table.py`` makes the table of docs/timeouts-and-retries.md from OPERATIONS.
"""

import re
from collections.abc import Collection
from json import loads
from typing import Any, NamedTuple

from azure.core.exceptions import (
    AzureError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
)

from .._shared.urls import split_url

TRANSIENT_STATUSES = frozenset([408, 429, 500, 502, 503, 504])
# The service, or a proxy before it, sends these without processing the request.
REJECTING_STATUSES = frozenset([429, 503])


class Operation(NamedTuple):
    """An operation of the service.

    :ivar name: What the operation does.
    :ivar method: Its HTTP method.
    :ivar path: A regular expression for its path, below that of the endpoint.
    :ivar is_repeatable: Whether a request may be sent again when the service may already have
        carried it out.
    :ivar has_custom_id: Whether the body has a ``customId``.
    """

    name: str
    method: str
    path: str
    is_repeatable: bool = True
    has_custom_id: bool = False


# The first that matches. RFC 9110, 9.2.2, says which methods may be repeated.
OPERATIONS = (
    Operation("create a user with a custom_id", "POST", "/identities", has_custom_id=True),
    Operation("create a user without a custom_id", "POST", "/identities", is_repeatable=False),
    Operation("issue a token", "POST", "/identities/[^/]+/:issueAccessToken"),
    Operation("revoke tokens", "POST", "/identities/[^/]+/:revokeAccessTokens"),
    Operation("exchange an Entra token", "POST", "/[^/]+/:exchangeAccessToken"),
    Operation("merge Entra assignments", "PATCH", "/access/entra/assignments"),
    Operation("get, list, put, delete", "GET|HEAD|OPTIONS|TRACE|PUT|DELETE", ".*"),
    Operation("anything else", ".*", ".*", is_repeatable=False),
)


def operation_of(http_request: Any) -> Operation:
    """The operation that a request asks for.

    :param http_request: The request.
    :type http_request: ~azure.core.rest.HttpRequest
    """
    path = split_url(http_request.url)[2].partition("?")[0]
    return next(
        operation
        for operation in OPERATIONS
        if re.fullmatch(operation.method, http_request.method.upper())
        and re.fullmatch(f".*?{operation.path}", path)
        and (not operation.has_custom_id or _has_custom_id(http_request))
    )


def is_transient_status(status: int, is_repeatable: bool, also: Collection[int] = ()) -> bool:
    """Whether a request is sent again after a response.

    :param int status: The status of the response.
    :param bool is_repeatable: Whether the operation may be carried out twice.
    :param also: Statuses after which the caller wants requests to be repeated, too.
    """
    if not is_repeatable:
        return status in REJECTING_STATUSES
    return status in TRANSIENT_STATUSES or status in also


def is_transient_error(error: AzureError, is_repeatable: bool) -> bool:
    """Whether a request is sent again after an exception.

    :param error: The exception.
    :param bool is_repeatable: Whether the operation may be carried out twice.
    """
    if isinstance(error, ServiceRequestTimeoutError):
        return True
    if isinstance(error, ServiceRequestError):
        return error.inner_exception is not None and not _is_lasting(error)
    return is_repeatable and isinstance(error, ServiceResponseError | IncompleteReadError)


def _is_lasting(error: BaseException) -> bool:
    """Whether a request cannot succeed: no certificate, file or package, or an invalid URL."""
    # SSLCertVerificationError and UnicodeError are ValueErrors.
    if isinstance(error, FileNotFoundError | ImportError | ValueError):
        return True
    # Not __context__, which leads to what the caller handles at the time.
    causes = [error.__cause__, getattr(error, "inner_exception", None), *error.args]
    return any(_is_lasting(cause) for cause in causes if isinstance(cause, BaseException))


def _has_custom_id(http_request: Any) -> bool:
    content = getattr(http_request, "content", None)
    if not isinstance(content, str | bytes):
        return False
    try:
        body = loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and bool(body.get("customId"))
