"""The login for development, and its page. The routes exist only if the settings allow it."""

import json

from aiohttp import web
from yarl import URL

from ..signin.development import DevelopmentLogin, is_loopback
from .errors import failure
from .page import TryPage

_LONGEST_NAME = 100


class DevelopmentRoutes:
    def __init__(self, login: DevelopmentLogin) -> None:
        self._login = login

    def routes(self) -> list[web.AbstractRouteDef]:
        return [web.post("/development/signin", self.sign_in), web.get("/", TryPage().show)]

    async def sign_in(self, request: web.Request) -> web.Response:
        """``{"name": "ada", "roles": ["guest"]}`` gets a bearer token for that name."""
        # A page of another site can make a browser on this machine call here, by a name of its own
        # that resolves to 127.0.0.1. It cannot fake the header Host.
        if not is_loopback(request.remote) or not is_loopback(URL(f"http://{request.host}").host):
            return failure(403, "Forbidden", "the development login is for this machine only")
        try:
            body = await request.json()
            name, roles = body["name"], body.get("roles", [])
            if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
                raise ValueError
            if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
                raise ValueError
        except (json.JSONDecodeError, ValueError, TypeError, KeyError, AttributeError):
            return failure(
                400, "BadRequest", 'expected {"name": "…", "roles": ["…"]}; roles may be left out'
            )
        return web.json_response({"bearer": self._login.sign_in(name, roles)})
