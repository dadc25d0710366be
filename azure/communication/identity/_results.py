"""From the JSON of the service to what the clients return.

Each function is a ``cls`` callback of the generated operations.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineResponse

from ._generated._messages import JSON, undecodable
from ._shared.identifiers import CommunicationUserIdentifier

Response = PipelineResponse[Any, Any]

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


def _access_token(response: Response, json: JSON, *path: str) -> AccessToken:
    text = _string(response, json, *path, "token")
    expires_on = _string(response, json, *path, "expiresOn")
    try:
        return AccessToken(text, _unix_time(expires_on))
    except ValueError:
        field = ".".join([*path, "expiresOn"])
        raise undecodable(response, f"{field} in its body is not a time") from None


def _unix_time(text: str) -> int:
    """A time of the service, in whole Unix seconds, rounded down."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError
    to_the_second, offset = match.groups()
    # Python 3.10 does not read Z.
    return int(datetime.fromisoformat(to_the_second + offset.replace("Z", "+00:00")).timestamp())


def _string(response: Response, json: JSON, *path: str) -> str:
    found: Any = json
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, str):
        raise undecodable(response, f"its body has no {'.'.join(path)}")
    return found
