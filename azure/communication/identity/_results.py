"""From the JSON of the service to what the clients return.

Each function is a ``cls`` callback of the generated operations.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.exceptions import DecodeError

from ._generated._enums import TeamsExtensionPrincipalType
from ._generated._messages import JSON, Response, undecodable
from ._models import CommunicationUserDetail, TeamsExtensionAssignment
from ._shared.identifiers import CommunicationUserIdentifier

# Seven fraction digits at most, of which trailing zeros are left out. Python 3.10 reads three or
# six, and whole seconds are all that is wanted.
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")


def user(response: Response, json: JSON) -> CommunicationUserIdentifier:
    """The user that was created."""
    return CommunicationUserIdentifier(_string(response, json, "identity", "id"))


def user_and_token(
    response: Response, json: JSON
) -> tuple[CommunicationUserIdentifier, AccessToken]:
    """The user that was created, and the token that was issued with it."""
    return user(response, json), _access_token(response, json, "accessToken")


def token(response: Response, json: JSON) -> AccessToken:
    """The token that was issued."""
    return _access_token(response, json)


def user_detail(response: Response, json: JSON) -> CommunicationUserDetail:
    """What the service knows of a user."""
    return CommunicationUserDetail(
        user=CommunicationUserIdentifier(_string(response, json, "id")),
        custom_id=None if json.get("customId") is None else _string(response, json, "customId"),
        last_token_issued_at=_time_or_none(response, json, "lastTokenIssuedAt"),
    )


def assignment(response: Response, json: JSON) -> TeamsExtensionAssignment:
    """An assignment as the service has it."""
    return TeamsExtensionAssignment(
        tenant_id=_string(response, json, "tenantId"),
        object_id=_string(response, json, "objectId"),
        principal_type=_principal_type(_string(response, json, "principalType")),
        client_ids=_strings(response, json, "clientIds"),
    )


def _principal_type(text: str) -> TeamsExtensionPrincipalType | str:
    try:
        return TeamsExtensionPrincipalType(text)
    except ValueError:
        return text  # the service may add to the list


def _access_token(response: Response, json: JSON, *path: str) -> AccessToken:
    text = _string(response, json, *path, "token")
    expires_on = _string(response, json, *path, "expiresOn")
    try:
        return AccessToken(text, int(_time(expires_on).timestamp()))
    except ValueError:
        raise _not_a_time(response, *path, "expiresOn") from None


def _time_or_none(response: Response, json: JSON, name: str) -> datetime | None:
    if json.get(name) is None:
        return None
    try:
        return _time(_string(response, json, name)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise _not_a_time(response, name) from None


def _not_a_time(response: Response, *path: str) -> DecodeError:
    return undecodable(response, f"{'.'.join(path)} in its body is not a time")


def _time(text: str) -> datetime:
    """A time of the service, aware, rounded down to whole seconds."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError
    to_the_second, offset = match.groups()
    # Python 3.10 does not read Z.
    return datetime.fromisoformat(to_the_second + offset.replace("Z", "+00:00"))


def _string(response: Response, json: JSON, *path: str) -> str:
    found: Any = json
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, str):
        raise undecodable(response, f"its body has no {'.'.join(path)}")
    return found


def _strings(response: Response, json: JSON, name: str) -> tuple[str, ...]:
    found = json.get(name)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise undecodable(response, f"{name} in its body is not a list of str")
    return tuple(found)
