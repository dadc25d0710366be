"""Liveness, readiness and metrics."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from ..people.database import Database
from ..telemetry import metrics
from ..tokens import deadlines
from ..tokens.calls import Calls
from ..tokens.errors import KeyRejectedError, TokenServiceError, UnavailableError
from ..tokens.shared import SharedRedis

_CHECK_SECONDS = 30.0  # between two looks at a key that worked
_RECHECK_SECONDS = 5.0  # and at one that did not
_PATIENCE = 2.0  # seconds that a look may wait for the limits


class Health:
    """Readiness fails without the database, and when the resource rejects the key.

    It reports a resource or Redis that is down, but does not fail: tokens in the cache are still
    handed out, and issuing continues without Redis.
    """

    def __init__(
        self,
        database: Database,
        calls: Calls,
        shared: SharedRedis | None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._calls = calls
        self._shared = shared
        self._monotonic = monotonic
        self._resource = "unknown"
        self._check_again_at = 0.0
        self._checking = asyncio.Lock()
        self.is_stopping = False

    def routes(self) -> list[web.AbstractRouteDef]:
        return [web.get("/healthz", self.alive), web.get("/readyz", self.ready)]

    async def alive(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        database, resource, shared = await asyncio.gather(
            self._database_state(), self._resource_state(), self._shared_state()
        )
        is_ready = database == "ok" and resource != "key rejected" and not self.is_stopping
        body = {
            "ready": is_ready,
            "stopping": self.is_stopping,
            "database": database,
            "resource": resource,
            "sharedCache": shared,
        }
        return web.json_response(body, status=200 if is_ready else 503)

    async def _database_state(self) -> str:
        try:
            return "ok" if await self._database.is_current() else "not migrated"
        except UnavailableError:
            return "unavailable"

    async def _resource_state(self) -> str:
        async with self._checking:
            if self._monotonic() >= self._check_again_at:
                self._resource = await _state_of(self._calls.check_key)
                pause = _CHECK_SECONDS if self._resource == "ok" else _RECHECK_SECONDS
                self._check_again_at = self._monotonic() + pause
            return self._resource

    async def _shared_state(self) -> str:
        if self._shared is None:
            return "none"
        return "ok" if await self._shared.check() else "unavailable"


async def _state_of(check_key: Callable[[float], Awaitable[None]]) -> str:
    try:
        await check_key(deadlines.now() + _PATIENCE)
    except KeyRejectedError:
        return "key rejected"
    except TokenServiceError:
        return "unavailable"
    return "ok"


async def scrape(_request: web.Request) -> web.Response:
    body = await asyncio.to_thread(metrics.exposition)
    return web.Response(body=body, headers={"Content-Type": metrics.CONTENT_TYPE})
