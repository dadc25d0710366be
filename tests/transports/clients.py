"""Clients on each transport that ships, and what makes them."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import requests

Make = Callable[..., Any]


def new_session(flavour: str, loop: asyncio.AbstractEventLoop) -> Any:
    """A session of the HTTP library below the transport of azure-core."""
    if flavour == "sync":
        return requests.Session()

    async def new() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(auto_decompress=False)

    return loop.run_until_complete(new())


def close_session(session: Any, loop: asyncio.AbstractEventLoop) -> None:
    """Closes what :func:`new_session` made."""
    if isinstance(session, requests.Session):
        session.close()
    else:
        loop.run_until_complete(session.close())
