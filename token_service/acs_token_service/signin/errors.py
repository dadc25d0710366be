"""Why somebody is not signed in."""

from ..tokens.errors import TokenServiceError, Unavailable


class NotSignedIn(TokenServiceError):
    """There is no bearer token, or it is not valid. The message holds nothing of it."""


class IssuerUnreachable(Unavailable):
    code = "IssuerUnreachable"


class ScopeNotAllowed(TokenServiceError):
    """The person may not have a scope."""
