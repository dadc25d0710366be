"""Why a token cannot be had at the moment.

TokenServiceError
├── Unavailable            comes back by itself: the caller may try again after `retry_after`
│   ├── Busy               the limits of the resource leave no room before the deadline
│   │   └── Throttled      the resource itself rejected the call with 429
│   ├── ResourceDown       the resource does not answer, or with an error of its own
│   │   └── KeyRejected    the resource does not accept the key, or the clock of this machine
│   └── TimedOut           another process is still at it
├── IdentityGone           the resource does not know the identity any more
└── Superseded             the person signed out while the token was issued
"""


class TokenServiceError(Exception):
    """The base of all errors that a layer below `web` raises on purpose."""


class Unavailable(TokenServiceError):
    """:param retry_after: When to try again, in seconds from now."""

    code = "Unavailable"

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Busy(Unavailable):
    code = "Busy"


class Throttled(Busy):
    pass


class ResourceDown(Unavailable):
    code = "ResourceUnavailable"


class KeyRejected(ResourceDown):
    pass


class TimedOut(Unavailable):
    code = "TimedOut"


class IdentityGone(TokenServiceError):
    pass


class Superseded(TokenServiceError):
    pass
