"""Errors for browsers: a status, a code, a message, and when to try again."""

import math
from http import HTTPStatus

from aiohttp import web

from ..people.accounts import SignedOutError
from ..signin.errors import NotSignedInError, ScopeNotAllowedError
from ..tokens.errors import TokenServiceError, UnavailableError
from ..tokens.limiter import TooManyRequestsError

_CODES = {
    400: "BadRequest",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    413: "RequestTooLarge",
}


def response_to(error: TokenServiceError) -> web.Response:
    match error:
        case NotSignedInError():
            return failure(
                401, "NotSignedIn", str(error), {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            )
        case SignedOutError():
            return failure(
                401, "SignedOut", str(error), {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            )
        case ScopeNotAllowedError():
            return failure(403, "ScopeNotAllowed", str(error))
        case TooManyRequestsError():
            return failure(429, error.code, str(error), _retry_after(error))
        case UnavailableError():
            return failure(503, error.code, str(error), _retry_after(error))
        case _:
            return failure(500, "InternalError", "the service made a mistake")


def response_to_http(error: web.HTTPException) -> web.Response:
    """An error of aiohttp, such as an unknown path, in the same form."""
    code = _CODES.get(error.status, "Error")
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return failure(error.status, code, HTTPStatus(error.status).phrase, headers)


def failure(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"error": {"code": code, "message": message}}
    return web.json_response(body, status=status, headers=headers)


def _retry_after(error: UnavailableError) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
