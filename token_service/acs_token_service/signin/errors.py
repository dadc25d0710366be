"""Errors of authentication and authorization."""

from ..tokens.errors import TokenServiceError, UnavailableError


class NotSignedInError(TokenServiceError):
    """The bearer token is missing or invalid. The message does not show it."""


class IssuerUnreachableError(UnavailableError):
    code = "IssuerUnreachable"


class ScopeNotAllowedError(TokenServiceError):
    """The person may not have a scope."""
