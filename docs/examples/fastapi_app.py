"""Tokens for signed-in people, with FastAPI: ``fastapi run fastapi_app.py``."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from azure.communication.identity import CommunicationTokenScope, CommunicationUserIdentifier
from azure.communication.identity.aio import CommunicationIdentityClient

USERS: dict[str, CommunicationUserIdentifier] = {}  # in a real application, a table


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    connection_string = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
    async with CommunicationIdentityClient.from_connection_string(connection_string) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


class Token(BaseModel):
    user: CommunicationUserIdentifier  # its raw id in JSON
    token: str
    expires_on: int


def signed_in_person(x_signed_in_person: Annotated[str | None, Header()] = None) -> str:
    """Replace this with your own sign-in: a session, or a verified bearer token."""
    if x_signed_in_person is None:
        raise HTTPException(401)
    return x_signed_in_person


@app.get("/token")
async def token(request: Request, person: Annotated[str, Depends(signed_in_person)]) -> Token:
    client: CommunicationIdentityClient = request.app.state.client
    if person not in USERS:
        USERS[person] = await client.create_user(timeout=10)
    issued = await client.get_token(USERS[person], [CommunicationTokenScope.CHAT], timeout=10)
    return Token(user=USERS[person], token=issued.token, expires_on=issued.expires_on)


@app.exception_handler(HttpResponseError)
async def refused(request: Request, error: HttpResponseError) -> JSONResponse:
    if error.status_code == 429:
        return JSONResponse({"detail": "busy"}, 503, headers={"Retry-After": "30"})
    return JSONResponse({"detail": "the token service failed"}, 502)


@app.exception_handler(ServiceRequestError)
@app.exception_handler(ServiceResponseError)
async def unreachable(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "the token service cannot be reached"}, 504)
