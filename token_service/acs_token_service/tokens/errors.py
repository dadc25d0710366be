"""Why a token is not available at the moment.

TokenServiceError
├── UnavailableError             passes: the caller may try again after `retry_after`
│   ├── BusyError                the limits of the resource leave no room before the deadline
│   │   └── ThrottledError       the resource itself rejected the call with 429
│   ├── ResourceDownError        the resource does not answer, or answers with a server error
│   │   └── KeyRejectedError     the resource rejects the key, or the clock of this machine
│   │       └── NotOwnedError    the identity belongs to another resource
│   └── TimedOutError            another process has not finished the work yet
├── IdentityGoneError            the resource does not have the identity
└── SupersededError              the person signed out while the token was issued
"""


class TokenServiceError(Exception):
    """The base class of the errors of the layers below `web`."""


class UnavailableError(TokenServiceError):
    """:param retry_after: When to try again, in seconds from now."""

    code = "Unavailable"

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BusyError(UnavailableError):
    code = "Busy"


class ThrottledError(BusyError):
    pass


class ResourceDownError(UnavailableError):
    code = "ResourceUnavailable"


class KeyRejectedError(ResourceDownError):
    pass


class NotOwnedError(KeyRejectedError):
    pass


class TimedOutError(UnavailableError):
    code = "TimedOut"


class IdentityGoneError(TokenServiceError):
    pass


class SupersededError(TokenServiceError):
    pass
