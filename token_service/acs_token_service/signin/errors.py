"""Why somebody is not signed in."""

from ..tokens.errors import TokenServiceError, UnavailableError


class NotSignedInError(TokenServiceError):
    """There is no bearer token, or it is not valid. The message holds nothing of it."""


class IssuerUnreachableError(UnavailableError):
    code = "IssuerUnreachable"


class ScopeNotAllowedError(TokenServiceError):
    """The person may not have a scope."""
