"""How a call may end, and after which endings it is repeated."""

import enum
from typing import NamedTuple

from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
    TooManyRedirectsError,
)

REPEATS = 3
"""How often a call is repeated by default."""

REDIRECTS = 30
"""How many redirects are followed by default."""


class Repeated(enum.Enum):
    """After which failures an operation is repeated."""

    ALWAYS = "yes"
    UNLESS_CREATED_TWICE = "yes, except creating without `custom_id`"
    NEVER = "no"

    def attempts(self, is_repeatable: bool) -> int:
        """How often a request is sent.

        :param bool is_repeatable: Whether the operation may be carried out twice.
        """
        is_repeated = self is Repeated.ALWAYS or (
            self is Repeated.UNLESS_CREATED_TWICE and is_repeatable
        )
        return 1 + REPEATS if is_repeated else 1


class _Ending(NamedTuple):
    title: str
    error: type[Exception] | None
    repeated: Repeated


_TWICE = Repeated.UNLESS_CREATED_TWICE


class Ending(enum.Enum):
    """What a caller sees.

    The order is that of the table in TROUBLESHOOTING.md.
    """

    SUCCESS = _Ending("A result", None, Repeated.NEVER)
    NO_CONNECTION = _Ending("No connection", ServiceRequestError, Repeated.ALWAYS)
    NO_CONNECTION_IN_TIME = _Ending(
        "No connection within `connection_timeout`", ServiceRequestTimeoutError, Repeated.ALWAYS
    )
    CANNOT_SUCCEED = _Ending("A request that cannot succeed", ServiceRequestError, Repeated.NEVER)
    NO_RESPONSE = _Ending("No complete and valid response", ServiceResponseError, _TWICE)
    NO_RESPONSE_IN_TIME = _Ending(
        "No complete response within `read_timeout`", ServiceResponseTimeoutError, _TWICE
    )
    DEADLINE = _Ending("`timeout` has passed", ServiceResponseTimeoutError, Repeated.NEVER)
    NO_CONNECTION_BY_DEADLINE = _Ending(
        "`timeout` has passed before there was a connection",
        ServiceRequestTimeoutError,
        Repeated.NEVER,
    )
    INVALID_BODY = _Ending("A success whose body is invalid", DecodeError, Repeated.NEVER)
    UNAUTHORIZED = _Ending("401", ClientAuthenticationError, Repeated.NEVER)
    NOT_FOUND = _Ending("404", ResourceNotFoundError, Repeated.NEVER)
    EXISTS = _Ending("409", ResourceExistsError, Repeated.NEVER)
    REJECTED = _Ending("429 and 503", HttpResponseError, Repeated.ALWAYS)
    TRANSIENT = _Ending("408, 500, 502 and 504", HttpResponseError, _TWICE)
    FAR_RETRY = _Ending(
        "429 and 503 whose `Retry-After` is beyond `timeout`, or 120 s",
        HttpResponseError,
        Repeated.NEVER,
    )
    REDIRECT = _Ending("A redirect that is not followed", HttpResponseError, Repeated.NEVER)
    LOOP = _Ending("More than `redirect_max` redirects", TooManyRedirectsError, Repeated.NEVER)
    FINAL = _Ending("Any other status", HttpResponseError, Repeated.NEVER)
