"""A token for the user in the query, by an async client of each worker."""

import json
import os
from typing import Any

from azure.communication.identity.aio import CommunicationIdentityClient

client = CommunicationIdentityClient.from_connection_string(os.environ["CONNECTION_STRING"])


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await client.close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    token = await client.get_token(scope["query_string"].decode(), ["chat"], timeout=30)
    found = {"process": os.getpid(), "token": token.token}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(found).encode()})
