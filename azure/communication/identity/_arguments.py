"""Checks the arguments of the clients' methods, and builds request bodies from them.

A check rejects what is wrong for any service. The service judges the rest: ranges, the names of
scopes, the format of ids.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from azure.core.rest import HttpRequest

from ._api_versions import require_version
from ._models import EntraAssignmentUpdate
from ._shared.enums import CommunicationIdentifierKind
from ._shared.identifiers import CommunicationUserIdentifier
from ._utils import convert_timedelta_to_mins

JSON = dict[str, Any]


def user_id(user: CommunicationUserIdentifier | str) -> str:
    """Returns the id of a user for the path of a request.

    :param user: A user, which may be of another Azure package, or its raw id.
    :type user: ~azure.communication.identity.CommunicationUserIdentifier or str
    :raises TypeError: If the value is not a user.
    :raises ValueError: If the id cannot be a path segment.
    """
    identifier: object = user
    kind = getattr(user, "kind", None)
    if kind == CommunicationIdentifierKind.COMMUNICATION_USER:
        identifier = user.properties["id"]  # type: ignore[union-attr]
    elif kind == CommunicationIdentifierKind.TEAMS_EXTENSION_USER:
        # identifier_from_raw_id returns this kind for an id of three parts, which the service
        # accepts too.
        identifier = user.raw_id  # type: ignore[union-attr]
    if not isinstance(identifier, str):
        raise TypeError(_wanted("user", "a CommunicationUserIdentifier or its raw id", user))
    if identifier in _NOT_A_SEGMENT:
        raise ValueError(f"user must have an id such as '8:acs:…', not {identifier!r}.")
    return _encodable("The id of user", identifier)


def entra_id(name: str, value: str) -> str:
    """Checks the id of an object, tenant or application in Entra.

    :raises TypeError: If the id is not a str.
    :raises ValueError: If the id cannot be a path segment.
    """
    if _require_str(name, "a str", value) in _NOT_A_SEGMENT:
        raise ValueError(f"{name} must be an id from Entra, not {value!r}.")
    return _encodable(name, value)


def user_body(custom_id: str | None, api_version: str) -> JSON | None:
    """Builds the body that creates a user. None if the body would be empty."""
    return _with_custom_id({}, custom_id, api_version) or None


def user_and_token_body(
    scopes: Sequence[str], expires_in: timedelta | None, custom_id: str | None, api_version: str
) -> JSON:
    """Builds the body that creates a user together with a token."""
    body = _with_expiry({"createTokenWithScopes": _scope_list(scopes)}, expires_in, api_version)
    return _with_custom_id(body, custom_id, api_version)


def issue_body(scopes: Sequence[str], expires_in: timedelta | None, api_version: str) -> JSON:
    """Builds the body that issues a token."""
    return _with_expiry({"scopes": _scope_list(scopes)}, expires_in, api_version)


def teams_user_body(aad_token: str, client_id: str, object_id: str, api_version: str) -> JSON:
    """Builds the body that exchanges the Entra token of a Teams user."""
    require_version("get_token_for_teams_user", api_version)
    named = {"aad_token": aad_token, "client_id": client_id, "user_object_id": object_id}
    for name, value in named.items():
        _require_str(name, "a str", value)
    return {"token": aad_token, "appId": client_id, "userId": object_id}


def teams_extension_assignment_body(principal_type: str, client_ids: Sequence[str] | None) -> JSON:
    """Builds the body that creates or replaces a Teams extension assignment."""
    expected = "a TeamsExtensionPrincipalType or a str"
    body: JSON = {"principalType": _require_str("principal_type", expected, principal_type)}
    if client_ids is not None:
        body["clientIds"] = _id_list(client_ids)
    return body


def entra_assignment_body(tenant_id: str, principal_type: str, client_ids: Sequence[str]) -> JSON:
    """Builds the body that creates or replaces an Entra assignment."""
    return {
        "tenantId": entra_id("tenant_id", tenant_id),
        "principalType": _require_str(
            "principal_type", "an EntraPrincipalType or a str", principal_type
        ),
        "clientIds": _id_list(client_ids),
    }


def entra_assignments_patch(assignments: Mapping[str, EntraAssignmentUpdate | None]) -> JSON:
    """Builds the merge patch that creates, replaces and deletes Entra assignments."""
    if not isinstance(assignments, Mapping):
        raise TypeError(
            _wanted("assignments", "a mapping to EntraAssignmentUpdate or None", assignments)
        )
    patch: JSON = {}
    for object_id, update in assignments.items():
        if not isinstance(update, EntraAssignmentUpdate | None):
            raise TypeError(
                _wanted("Each value of assignments", "an EntraAssignmentUpdate or None", update)
            )
        patch[entra_id("Each key of assignments", object_id)] = update and entra_assignment_body(
            update.tenant_id, update.principal_type, update.client_ids
        )
    return patch


def request_to_send(request: HttpRequest, options: Mapping[str, Any]) -> HttpRequest:
    """Checks the arguments of ``send_request``.

    :raises TypeError: If the request has the wrong type or is a batch, or an option is only for
        other methods.
    :raises ValueError: If the URL cannot be encoded.
    """
    if not isinstance(request, HttpRequest):
        raise TypeError(_wanted("request", "an azure.core.rest.HttpRequest", request))
    name = "The URL of the request"
    _encodable(name, _require_str(name, "a str", request.url))
    may_be_batch: Any = request  # with an attribute that azure-core does not declare
    if may_be_batch.multipart_mixed_info:
        raise TypeError("The service has no batches: send the parts of multipart/mixed one by one.")
    for name in ("api_version", "params", "error_map"):
        if name in options:
            raise TypeError(
                f"send_request does not take {name}: write the query, with its api-version, into "
                "the URL of the request, and read the status of the response."
            )
    return request


def _scope_list(scopes: Sequence[str]) -> list[str]:
    listed = _list_of_str("scopes", _SCOPES, "a CommunicationTokenScope or a str", scopes)
    if not listed:
        raise ValueError(f"scopes must be {_SCOPES}, and it is empty.")
    return listed


def _id_list(client_ids: Sequence[str]) -> list[str]:
    return _list_of_str("client_ids", "a list of ids", "a str", client_ids)


def _list_of_str(name: str, expected: str, each: str, values: Sequence[str]) -> list[str]:
    # A str is a sequence of str: the most common mistake. Lists first: Sequence is slow to ask.
    if not isinstance(values, (list, tuple, Sequence)) or isinstance(
        values, str | bytes | bytearray
    ):
        raise TypeError(_wanted(name, expected, values))
    return [_require_str(f"Each of {name}", each, value) for value in values]


def _with_custom_id(body: JSON, custom_id: str | None, api_version: str) -> JSON:
    if custom_id is None:
        return body
    if not _require_str("custom_id", "a str of your own", custom_id):
        # The service could treat an empty id as no id, and create another user at every call.
        raise ValueError("custom_id must be a str of your own, and it is empty.")
    require_version("custom_id", api_version)
    body["customId"] = _encodable("custom_id", custom_id)
    return body


def _with_expiry(body: JSON, expires_in: timedelta | None, api_version: str) -> JSON:
    if expires_in is not None:
        if not isinstance(expires_in, timedelta):
            raise TypeError(
                _wanted("token_expires_in", "a timedelta such as timedelta(hours=1)", expires_in)
            )
        require_version("token_expires_in", api_version)
        body["expiresInMinutes"] = convert_timedelta_to_mins(expires_in)
    return body


def _encodable(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} cannot be encoded: it has half a surrogate pair.") from None
    return value


def _require_str(name: str, expected: str, value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(_wanted(name, expected, value))
    return value


_NOT_A_SEGMENT = ("", ".", "..")
_SCOPES = "a list of scopes such as [CommunicationTokenScope.CHAT]"


def _wanted(name: str, expected: str, got: object) -> str:
    # The type, not the value: it may be a misplaced secret.
    return f"{name} must be {expected}, not {type(got).__name__}."
