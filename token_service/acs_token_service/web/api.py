"""The routes for browsers: a token, sign-out, deletion."""

import json
from datetime import datetime, timezone

from aiohttp import web

from ..people.accounts import Accounts
from ..people.recent import Handed
from ..people.store import Subject
from ..signin.bearer import Bearers, SignedIn
from ..signin.scopes import choose
from ..tokens import deadlines
from .person_rates import PersonRates

_JSON = "application/json; charset=utf-8"


class Api:
    """:param patience: Seconds that a request may wait for a token."""

    def __init__(
        self, bearers: Bearers, accounts: Accounts, rates: PersonRates, *, patience: float
    ) -> None:
        self._bearers = bearers
        self._accounts = accounts
        self._rates = rates
        self._patience = patience

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/token", self.token),
            web.post("/signout", self.sign_out),
            web.delete("/me", self.delete),
        ]

    async def token(self, request: web.Request) -> web.Response:
        signed_in = await self._bearers.verify(request.headers.get("Authorization"))
        scopes = choose(_scopes_of(request), signed_in.allowed_scopes)
        subject = Subject(signed_in.issuer, signed_in.subject)
        handed = self._accounts.leased(subject, signed_in.issued_at, scopes)
        if handed is None:
            await self._rates.count(subject)
            handed = await self._accounts.token(
                subject, signed_in.issued_at, scopes, deadlines.now() + self._patience
            )
        if handed.body is None:
            handed.body = _as_json(handed, scopes)
        return web.Response(body=handed.body, headers={"Content-Type": _JSON})

    async def sign_out(self, request: web.Request) -> web.Response:
        signed_in, subject = await self._who(request)
        return _done(await self._accounts.sign_out(subject, signed_in.issued_at))

    async def delete(self, request: web.Request) -> web.Response:
        signed_in, subject = await self._who(request)
        deadline = deadlines.now() + self._patience
        return _done(await self._accounts.delete(subject, signed_in.issued_at, deadline))

    async def _who(self, request: web.Request) -> tuple[SignedIn, Subject]:
        signed_in = await self._bearers.verify(request.headers.get("Authorization"))
        subject = Subject(signed_in.issuer, signed_in.subject)
        await self._rates.count(subject)
        return signed_in, subject


def _scopes_of(request: web.Request) -> list[str]:
    """``?scopes=chat,voip``; spaces and repeated parameters work as well."""
    if not request.query_string:
        return []
    return [
        scope
        for text in request.query.getall("scopes", [])
        for scope in text.replace(",", " ").split()
    ]


def _as_json(handed: Handed, scopes: tuple[str, ...]) -> bytes:
    expires_on = datetime.fromtimestamp(handed.issued.expires_on, timezone.utc)
    return json.dumps(
        {
            "token": handed.issued.token,
            "expiresOn": expires_on.isoformat().replace("+00:00", "Z"),
            "identity": handed.identity,
            "scopes": list(scopes),
        }
    ).encode()


def _done(is_finished: bool) -> web.Response:
    """204, or 202 if the resource is called later: the database has it already."""
    return web.Response(status=204 if is_finished else 202)
