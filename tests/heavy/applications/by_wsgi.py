"""A token for the user in the query, by a client that is created and used before workers fork."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from azure.communication.identity import CommunicationIdentityClient

client = CommunicationIdentityClient.from_connection_string(os.environ["CONNECTION_STRING"])
client.create_user()


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    user = environ["QUERY_STRING"]
    found = {"process": os.getpid(), "token": client.get_token(user, ["chat"], timeout=30).token}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(found).encode()]
