"""Tokens for signed-in people, with WSGI: ``gunicorn --preload --workers 4 wsgi_app:app``."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from azure.communication.identity import CommunicationIdentityClient, CommunicationTokenScope

# One client for the whole process; forked workers share it safely.
client = CommunicationIdentityClient.from_connection_string(
    os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
)
USERS: dict[str, str] = {}  # in a real application, a table: person, raw id


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    person = environ.get("HTTP_X_SIGNED_IN_PERSON")  # replace this with your own sign-in
    if person is None:
        start_response("401 Unauthorized", [])
        return []
    if person not in USERS:
        USERS[person] = client.create_user(timeout=10).raw_id
    issued = client.get_token(USERS[person], [CommunicationTokenScope.CHAT], timeout=10)
    body = json.dumps(
        {"user": USERS[person], "token": issued.token, "expiresOn": issued.expires_on}
    )
    start_response("200 OK", [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
    return [body.encode()]
