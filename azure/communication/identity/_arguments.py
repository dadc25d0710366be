"""Checks of what the caller passes, and the bodies that are made of it.

What is refused here is wrong whatever the service thinks of it. What is for the service to judge
goes through to it: the range of an expiry, the names of scopes, the format of Teams tokens and ids.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from ._api_versions import require_version
from ._shared.enums import CommunicationIdentifierKind
from ._shared.identifiers import CommunicationUserIdentifier
from ._utils import convert_timedelta_to_mins

JSON = dict[str, Any]


def user_id(user: CommunicationUserIdentifier | str) -> str:
    """The id that stands for a user in the path of a request.

    :param user: A user, or its raw id. Users of other Azure packages will do as well.
    :type user: ~azure.communication.identity.CommunicationUserIdentifier or str
    :raises TypeError: That is not a user.
    :raises ValueError: The id is empty, or cannot be a part of a path.
    """
    identifier: object = user
    kind = getattr(user, "kind", None)
    if kind == CommunicationIdentifierKind.COMMUNICATION_USER:
        identifier = user.properties["id"]  # type: ignore[union-attr]
    elif kind == CommunicationIdentifierKind.TEAMS_EXTENSION_USER:
        # What identifier_from_raw_id makes of an id of three parts, which the service takes too.
        identifier = user.raw_id  # type: ignore[union-attr]
    if not isinstance(identifier, str):
        raise TypeError(_wanted("user", "a CommunicationUserIdentifier or its raw id", user))
    if identifier in _NO_PART_OF_A_PATH:
        raise ValueError(f"user must have an id such as '8:acs:…', not {identifier!r}.")
    return _encodable("The id of user", identifier)


def assignment_ids(tenant_id: str, object_id: str) -> tuple[str, str]:
    """The ids that stand for an assignment in the path of a request.

    :raises TypeError: An id is not a str.
    :raises ValueError: An id is empty, or cannot be a part of a path.
    """
    for name, value in (("tenant_id", tenant_id), ("object_id", object_id)):
        if not isinstance(value, str):
            raise TypeError(_wanted(name, "a str", value))
        if value in _NO_PART_OF_A_PATH:
            raise ValueError(f"{name} must be an id that Entra gave, not {value!r}.")
        _encodable(name, value)
    return tenant_id, object_id


def user_body(custom_id: str | None, api_version: str) -> JSON | None:
    """The body that creates a user. There is none unless there is something to say."""
    return _with_custom_id({}, custom_id, api_version) or None


def user_and_token_body(
    scopes: Sequence[str], expires_in: timedelta | None, custom_id: str | None, api_version: str
) -> JSON:
    """The body that creates a user together with a token."""
    body = _with_expiry({"createTokenWithScopes": _scope_list(scopes)}, expires_in, api_version)
    return _with_custom_id(body, custom_id, api_version)


def issue_body(scopes: Sequence[str], expires_in: timedelta | None, api_version: str) -> JSON:
    """The body that issues a token."""
    return _with_expiry({"scopes": _scope_list(scopes)}, expires_in, api_version)


def teams_user_body(aad_token: str, client_id: str, object_id: str, api_version: str) -> JSON:
    """The body that exchanges the Entra token of a Teams user."""
    require_version("get_token_for_teams_user", api_version)
    named = {"aad_token": aad_token, "client_id": client_id, "user_object_id": object_id}
    for name, value in named.items():
        if not isinstance(value, str):
            raise TypeError(_wanted(name, "a str", value))
    return {"token": aad_token, "appId": client_id, "userId": object_id}


def assignment_body(principal_type: str, client_ids: Sequence[str] | None) -> JSON:
    """The body that creates or replaces an assignment."""
    if not isinstance(principal_type, str):
        raise TypeError(
            _wanted("principal_type", "a TeamsExtensionPrincipalType or a str", principal_type)
        )
    body: JSON = {"principalType": principal_type}
    if client_ids is not None:
        body["clientIds"] = _list_of_str("client_ids", "a list of ids", "a str", client_ids)
    return body


def _scope_list(scopes: Sequence[str]) -> list[str]:
    listed = _list_of_str("scopes", _SCOPES, "a CommunicationTokenScope or a str", scopes)
    if not listed:
        raise ValueError(f"scopes must be {_SCOPES}, and it is empty.")
    return listed


def _list_of_str(name: str, expected: str, each: str, values: Sequence[str]) -> list[str]:
    # A str is a sequence of str, and the commonest slip.
    if isinstance(values, str | bytes | bytearray) or not isinstance(values, Sequence):
        raise TypeError(_wanted(name, expected, values))
    for value in values:
        if not isinstance(value, str):
            raise TypeError(_wanted(f"Each of {name}", each, value))
    return list(values)


def _with_custom_id(body: JSON, custom_id: str | None, api_version: str) -> JSON:
    if custom_id is None:
        return body
    if not isinstance(custom_id, str):
        raise TypeError(_wanted("custom_id", "a str of your own", custom_id))
    if not custom_id:
        # Not left to the service: taken for no id, it would create another user at every call.
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


_NO_PART_OF_A_PATH = ("", ".", "..")
_SCOPES = "a list of scopes such as [CommunicationTokenScope.CHAT]"


def _wanted(name: str, expected: str, got: object) -> str:
    # The type and not the value, which may be a secret in the wrong place.
    return f"{name} must be {expected}, not {type(got).__name__}."
