"""Tokens for signed-in people, with aiohttp."""

import os
from collections.abc import AsyncIterator

from aiohttp import web
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

from azure.communication.identity import CommunicationTokenScope
from azure.communication.identity.aio import CommunicationIdentityClient

CLIENT = web.AppKey("client", CommunicationIdentityClient)
USERS: dict[str, str] = {}  # in a real application, a table: person, raw id


async def client_of(app: web.Application) -> AsyncIterator[None]:
    connection_string = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
    async with CommunicationIdentityClient.from_connection_string(connection_string) as client:
        app[CLIENT] = client
        yield


def signed_in_person(request: web.Request) -> str:
    """Replace this with your own sign-in: a session, or a verified bearer token."""
    person = request.headers.get("X-Signed-In-Person")
    if person is None:
        raise web.HTTPUnauthorized
    return person


async def token(request: web.Request) -> web.Response:
    person, client = signed_in_person(request), request.app[CLIENT]
    try:
        if person not in USERS:
            USERS[person] = (await client.create_user(timeout=10)).raw_id
        issued = await client.get_token(USERS[person], [CommunicationTokenScope.CHAT], timeout=10)
    except HttpResponseError as error:
        if error.status_code == 429:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "30"}) from error
        raise web.HTTPBadGateway from error
    except (ServiceRequestError, ServiceResponseError) as error:
        raise web.HTTPGatewayTimeout from error
    return web.json_response(
        {"user": USERS[person], "token": issued.token, "expiresOn": issued.expires_on},
        headers={"Cache-Control": "no-store"},
    )


def create_app() -> web.Application:
    app = web.Application()
    app.cleanup_ctx.append(client_of)
    app.router.add_get("/token", token)
    return app


if __name__ == "__main__":
    web.run_app(create_app(), host="127.0.0.1")
