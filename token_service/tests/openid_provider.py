"""An OpenID Connect provider on loopback."""

import functools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "api://the-service"


@functools.cache  # making one takes longer than most tests
def _private_key(kid: str, algorithm: str) -> Any:
    if algorithm.startswith("RS"):
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


class Key:
    """A key pair of the provider."""

    def __init__(self, kid: str, algorithm: str = "RS256") -> None:
        self.kid = kid
        self.algorithm = algorithm
        self.private: Any = _private_key(kid, algorithm)

    @property
    def document(self) -> dict[str, Any]:
        public: Any = self.private.public_key()
        document = jwt.get_algorithm_by_name(self.algorithm).to_jwk(public, as_dict=True)
        return {**document, "kid": self.kid, "use": "sig"}


class Provider:
    def __init__(self) -> None:
        self.keys = [Key("first")]
        self.issuer = ""
        self.is_down = False
        self.fetches = 0
        self.documents: list[dict[str, Any]] = []

    def issue(
        self, subject: str = "ada", *, key: Key | None = None, headers: Any = None, **changes: Any
    ) -> str:
        """A bearer token; a claim that is changed to None is left out."""
        key = key or self.keys[-1]
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + 600,
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(
            claims, key.private, key.algorithm, headers={"kid": key.kid, **(headers or {})}
        )

    async def configuration(self, _request: web.Request) -> web.Response:
        if self.is_down:
            raise web.HTTPServiceUnavailable
        return web.json_response({"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"})

    async def published(self, _request: web.Request) -> web.Response:
        self.fetches += 1
        if self.is_down:
            raise web.HTTPServiceUnavailable
        return web.json_response({"keys": [*self.documents, *(key.document for key in self.keys)]})


@asynccontextmanager
async def openid_provider() -> AsyncIterator[Provider]:
    provider = Provider()
    app = web.Application()
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", provider.configuration),
            web.get("/keys", provider.published),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield provider
    finally:
        await runner.cleanup()
