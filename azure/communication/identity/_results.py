"""Converts the JSON of the service to the results of the clients.

Each public function is a ``cls`` callback of the generated operations.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from enum import Enum
from time import time as now
from typing import Any, TypeVar

from azure.core.credentials import AccessToken

from ._generated._enums import EntraPrincipalType, TeamsExtensionPrincipalType
from ._generated._messages import JSON, Response, undecodable
from ._models import CommunicationUserDetail, EntraAssignment, TeamsExtensionAssignment
from ._shared.identifiers import CommunicationUserIdentifier

E = TypeVar("E", bound=Enum)

# The service sends up to seven fraction digits; Python 3.10 reads only three or six. The results
# have whole seconds.
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")
# The margin that the service grants to the dates of requests.
_CLOCK_SKEW = 300


def user(response: Response, json: JSON) -> CommunicationUserIdentifier:
    """Returns the created user."""
    return CommunicationUserIdentifier(_filled(response, json, "identity", "id"))


def user_and_token(
    response: Response, json: JSON
) -> tuple[CommunicationUserIdentifier, AccessToken]:
    """Returns the created user and its token."""
    return user(response, json), _access_token(response, json, "accessToken")


def token(response: Response, json: JSON) -> AccessToken:
    """Returns the issued token."""
    return _access_token(response, json)


def user_detail(response: Response, json: JSON) -> CommunicationUserDetail:
    """Returns the details of a user."""
    return CommunicationUserDetail(
        user=CommunicationUserIdentifier(_filled(response, json, "id")),
        custom_id=None if json.get("customId") is None else _string(response, json, "customId"),
        last_token_issued_at=None
        if json.get("lastTokenIssuedAt") is None
        else _time(response, json, "lastTokenIssuedAt"),
    )


def teams_extension_assignment(response: Response, json: JSON) -> TeamsExtensionAssignment:
    """Returns a Teams extension assignment."""
    return TeamsExtensionAssignment(
        tenant_id=_string(response, json, "tenantId"),
        object_id=_string(response, json, "objectId"),
        principal_type=_open(TeamsExtensionPrincipalType, _string(response, json, "principalType")),
        client_ids=_strings(response, json, "clientIds"),
    )


def entra_assignment(response: Response, json: JSON) -> EntraAssignment:
    """Returns an Entra assignment."""
    return EntraAssignment(
        object_id=_string(response, json, "objectId"),
        tenant_id=_string(response, json, "tenantId"),
        principal_type=_open(EntraPrincipalType, _string(response, json, "principalType")),
        client_ids=_strings(response, json, "clientIds"),
    )


def _open(enum: type[E], text: str) -> E | str:
    """Returns the member of an extensible enum, or the text if the enum does not list it."""
    try:
        return enum(text)
    except ValueError:
        return text


def _access_token(response: Response, json: JSON, *path: str) -> AccessToken:
    text = _filled(response, json, *path, "token")
    expires_on = int(_time(response, json, *path, "expiresOn").timestamp())
    if expires_on < now() and _had_expired(response, expires_on):
        raise undecodable(response, f"{'.'.join((*path, 'token'))} in its body has expired")
    return AccessToken(text, expires_on)


def _had_expired(response: Response, expires_on: int) -> bool:
    """Whether a token had expired by the clock of the service.

    The local clock alone does not decide: it may be wrong, or the response may be a recording.
    """
    try:
        date = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError, TypeError):
        return False
    return expires_on + _CLOCK_SKEW < date.timestamp()


def _time(response: Response, json: JSON, *path: str) -> datetime:
    value = _value(json, *path)
    if isinstance(value, int | float) or (isinstance(value, str) and value.isdecimal()):
        problem = "is a number, perhaps of milliseconds: expected a time as in ISO 8601"
        raise undecodable(response, f"{'.'.join(path)} in its body {problem}")
    found = _utc(_string(response, json, *path))
    if found is None:
        raise undecodable(response, f"{'.'.join(path)} in its body is not a time up to year 9999")
    return found


def _utc(text: str) -> datetime | None:
    """Parses a time of the service, rounded down to whole seconds. None if the time is invalid."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    to_the_second, offset = match.groups()
    try:
        # Python 3.10 does not read Z.
        local = datetime.fromisoformat(to_the_second + offset.replace("Z", "+00:00"))
        return local.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def _string(response: Response, json: JSON, *path: str) -> str:
    found = _value(json, *path)
    if not isinstance(found, str):
        raise undecodable(response, f"its body has no {'.'.join(path)}")
    return found


def _value(json: Any, *path: str) -> Any:
    for name in path:
        json = json.get(name) if isinstance(json, Mapping) else None
    return json


def _filled(response: Response, json: JSON, *path: str) -> str:
    found = _string(response, json, *path)
    if not found.strip():
        raise undecodable(response, f"{'.'.join(path)} in its body is empty")
    return found


def _strings(response: Response, json: JSON, name: str) -> tuple[str, ...]:
    found = json.get(name)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise undecodable(response, f"{name} in its body is not a list of str")
    return tuple(found)
