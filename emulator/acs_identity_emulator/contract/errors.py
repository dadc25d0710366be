"""The errors of the service: status, code, message and target.

A request that fails before the service's controller (authentication, versioning, binding of the
body) is answered without the header `api-supported-versions`: `reports_versions` is False.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .reasons import Reason, ReasonCode, shown_path, shown_text


@dataclass(eq=False)
class ServiceError(Exception):
    """An error response of the service.

    :param reason: The cause, for the emulator's log and journal; the client does not see it.
    """

    status: int
    code: str
    message: str
    target: str | None = None
    reports_versions: bool = True
    has_inner_error: bool = False
    allow: str | None = None
    challenge: str | None = None  # of WWW-Authenticate
    retry_after: int | None = None  # seconds
    reason: Reason | None = None

    def body(self) -> dict[str, object]:
        """The JSON of the response."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        if self.has_inner_error:
            error["innerError"] = None
        return {"error": error}


def before_controller(
    status: int,
    code: str,
    message: str,
    target: str | None = None,
    reason: Reason | None = None,
) -> ServiceError:
    """An error without the header `api-supported-versions`."""
    return ServiceError(status, code, message, target, reports_versions=False, reason=reason)


# Authentication

DENIED = "Denied by the resource provider."
CONTENT_HASH_DIFFERS = "Request 'x-ms-content-sha256' differs from generated content hash."
DATE_TOO_FAR_OFF = (
    "The time difference between the originating client and the server is greater than the "
    "allowed margin of 5 minutes."
)


def denied(reason: Reason | None, message: str = DENIED) -> ServiceError:
    return before_controller(401, "Denied", message, reason=reason)


# Versions and routes


def unsupported_version(uri: str, version: str) -> ServiceError:
    message = (
        f"The HTTP resource that matches the request URI '{uri}' "
        f"does not support the API version '{version}'."
    )
    reason = f"{shown_text(version)} is not an api version that this path has"
    return _version_error("UnsupportedApiVersion", message, reason)


def unspecified_version() -> ServiceError:
    message = "An API version is required, but was not specified."
    return _version_error("ApiVersionUnspecified", message, "the query has no api-version")


def ambiguous_version(versions: Sequence[str]) -> ServiceError:
    message = (
        f"The following API versions were requested: {', '.join(versions)}. "
        "At most, only a single API version may be specified."
    )
    reason = f"the query has {len(versions)} different api versions"
    return _version_error("AmbiguousApiVersion", message, reason)


def _version_error(code: str, message: str, reason: str) -> ServiceError:
    error = before_controller(400, code, message, reason=Reason(ReasonCode.API_VERSION, reason))
    error.has_inner_error = True
    return error


def unknown_path(path: str) -> ServiceError:
    reason = Reason(ReasonCode.PATH, f"no operation has the path {shown_path(path)}")
    message = "No resource matches the request URI."
    return before_controller(404, "NotFound", message, reason=reason)


def wrong_method(method: str, allowed: str) -> ServiceError:
    message = f"The resource does not support the HTTP method '{method}'."
    reason = Reason(ReasonCode.METHOD, f"the path has {allowed or 'no method'}")
    error = before_controller(405, "MethodNotAllowed", message, reason=reason)
    error.allow = allowed
    return error


def too_many_requests(retry_after: int | None) -> ServiceError:
    """:param retry_after: Seconds for the Retry-After header; None omits it."""
    return ServiceError(429, "TooManyRequests", "Request limit exceeded.", retry_after=retry_after)


def emulator_failed() -> ServiceError:
    return ServiceError(500, "InternalServerError", "The emulator has failed.")


def unavailable() -> ServiceError:
    """If the database cannot be read or written, such as on a full disk."""
    return ServiceError(503, "ServiceUnavailable", "The service is unavailable.")


# Reading the request


def not_http(status: int) -> ServiceError:
    return before_controller(status, "BadRequest", "The request is not well-formed HTTP.")


def body_too_large(limit: int) -> ServiceError:
    return before_controller(
        413, "RequestEntityTooLarge", f"The request body is larger than {limit} bytes."
    )


def body_required() -> ServiceError:
    return before_controller(400, "ValidationError", "A non-empty request body is required.")


def body_not_json() -> ServiceError:
    return before_controller(400, "ValidationError", "The request body is not valid JSON.")


def body_not_object() -> ServiceError:
    return before_controller(400, "ValidationError", "The request body must be a JSON object.")


def field_required(name: str) -> ServiceError:
    message = f"{name}: The {name} field is required."
    return before_controller(400, "ValidationError", message, name)


def field_has_wrong_type(name: str, expected: str) -> ServiceError:
    message = f"{name}: The {name} field must be {expected}."
    return before_controller(400, "ValidationError", message, name)


# Identities and tokens


def malformed_id() -> ServiceError:
    return ServiceError(400, "ValidationError", "Provided identity has invalid format.", "id")


def not_owned(why: str) -> ServiceError:
    message = "Provided identity doesn't belong to the resource."
    reason = Reason(ReasonCode.UNKNOWN_IDENTITY, why)
    return ServiceError(401, "IdentityNotOwned", message, reason=reason)


def not_found(identity_id: str) -> ServiceError:
    reason = Reason(ReasonCode.DELETED_IDENTITY, f"{identity_id} is deleted")
    return ServiceError(404, "IdentityNotFound", "Provided identity doesn't exist.", reason=reason)


def no_scopes() -> ServiceError:
    return invalid_scopes("Scopes field is required.")


def invalid_scopes(reason: str) -> ServiceError:
    return ServiceError(400, "ValidationError", f"Invalid scopes - {reason}", "scopes")


def invalid_expiry(minutes: int) -> ServiceError:
    message = (
        f"ExpiresInMinutes value {minutes} is invalid. "
        "Value must be within the [60, 1440] interval."
    )
    return ServiceError(400, "ValidationError", message, "ExpiresInMinutes")


# Teams users


def no_token() -> ServiceError:
    return before_controller(
        400, "ValidationError", "The body is either missing or doesn't contain any token."
    )


def invalid_token(why: str) -> ServiceError:
    message = "Provided access token is not valid."
    reason = Reason(ReasonCode.ENTRA_TOKEN, why)
    return before_controller(401, "InvalidAccessToken", message, reason=reason)


def malformed_guid(field: str) -> ServiceError:
    message = f"Provided {field[0].upper()}{field[1:]} has invalid format."
    return ServiceError(400, "ValidationError", message, field)


def unexpected_application() -> ServiceError:
    return ServiceError(400, "ValidationError", "AAD application is not the expected one.", "appId")


def unexpected_user() -> ServiceError:
    return ServiceError(
        400, "ValidationError", "Provided AAD token issued for unexpected user.", "userId"
    )


# Assignments


def no_assignment() -> ServiceError:
    return ServiceError(404, "AssignmentNotFound", "Provided assignment doesn't exist.")


def not_assigned(why: str) -> ServiceError:
    message = "No assignment allows the user to get a token through the application."
    reason = Reason(ReasonCode.NO_ASSIGNMENT, why)
    return ServiceError(403, "Forbidden", message, reason=reason)


def unknown_principal_type(given: str, known: Collection[str]) -> ServiceError:
    message = f"PrincipalType value '{given}' is invalid. Value must be {' or '.join(known)}."
    return ServiceError(400, "ValidationError", message, "principalType")
