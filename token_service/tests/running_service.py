"""The token service in the running event loop, and requests of browsers to it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import ClientSession, web

from acs_identity_emulator import IdentityEmulator
from acs_token_service.app import create_app
from acs_token_service.people.database import Database
from acs_token_service.server import runner_of
from acs_token_service.settings import Settings
from acs_token_service.signin.development import new_key as new_development_key
from acs_token_service.telemetry import metrics
from acs_token_service.tokens.encryption import new_key


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code of an error."""
        return str(self.body["error"]["code"])


class Browser:
    """Calls a service from anywhere."""

    def __init__(self, url: str, session: ClientSession) -> None:
        self.url = url
        self._session = session

    async def send(self, method: str, path: str, **options: Any) -> Reply:
        async with self._session.request(method, self.url + path, **options) as response:
            is_json = response.content_type == "application/json"
            body = await (response.json() if is_json else response.text())
            return Reply(response.status, response.headers, body)

    async def sign_in(self, name: str = "ada", roles: Sequence[str] = ()) -> "Visitor":
        body = {"name": name, "roles": list(roles)}
        reply = await self.send("POST", "/development/signin", json=body)
        assert reply.status == 200, reply.body
        return Visitor(self, reply.body["bearer"])


class Visitor:
    """A person with a bearer token."""

    def __init__(self, browser: Browser, bearer: str) -> None:
        self.browser = browser
        self.bearer = bearer

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.bearer}"}

    def at(self, browser: Browser) -> "Visitor":
        """The same person at another process."""
        return Visitor(browser, self.bearer)

    async def ask(self, scopes: str | None = None) -> Reply:
        params = {} if scopes is None else {"scopes": scopes}
        return await self.browser.send("GET", "/token", params=params, headers=self.headers)

    async def token(self, scopes: str | None = None) -> str:
        reply = await self.ask(scopes)
        assert reply.status == 200, reply.body
        return str(reply.body["token"])

    async def sign_out(self) -> Reply:
        return await self.browser.send("POST", "/signout", headers=self.headers)

    async def delete(self) -> Reply:
        return await self.browser.send("DELETE", "/me", headers=self.headers)


@asynccontextmanager
async def running(settings: Settings, **parts: Any) -> AsyncIterator[Browser]:
    """A process of the service, but in this one.

    :param parts: Further arguments of `create_app`.
    """
    app = await create_app(settings, **parts)
    runner = runner_of(app, settings)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        async with ClientSession() as session:
            yield Browser(f"http://{host}:{port}", session)
    finally:
        await runner.cleanup()


async def migrate(database_url: str) -> None:
    database = Database(database_url)
    try:
        await database.migrate()
    finally:
        await database.close()


class Storage(NamedTuple):
    """The settings of a service's storage."""

    kind: str
    database_url: str
    cache_url: str

    @property
    def is_shared(self) -> bool:
        """Whether processes share tokens and limits."""
        return self.cache_url != "memory://"


# Processes of one service have them in common.
CACHE_KEY = new_key()
_DEVELOPMENT_KEY = new_development_key()


async def until(is_true: Callable[[], bool], seconds: float = 30) -> None:
    for _ in range(round(seconds / 0.02)):
        if is_true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")


async def until_async(is_true: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    for _ in range(round(seconds / 0.1)):
        if await is_true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not happen in time")


async def until_faults_are_used(emulator: IdentityEmulator) -> None:
    """Waits until the requests that are to fail or to be late have arrived."""
    await until(lambda: not emulator.unused_faults())


class Services:
    """Starts processes of a service that share an emulated resource and a storage."""

    def __init__(self, emulator: IdentityEmulator, storage: Storage, stack: AsyncExitStack) -> None:
        self.emulator = emulator
        self.storage = storage
        self._stack = stack

    def settings(self, **changes: Any) -> Settings:
        values = {
            "resource_connection_string": self.emulator.connection_string,
            "database_url": self.storage.database_url,
            "cache_url": self.storage.cache_url,
            "cache_keys": CACHE_KEY if self.storage.is_shared else "",
            "development_login": True,
            "development_key": _DEVELOPMENT_KEY,
            "local_seconds": 0,
            **changes,
        }
        return Settings(**values)

    async def start(self, parts: dict[str, Any] | None = None, **changes: Any) -> Browser:
        settings = self.settings(**changes)
        return await self._stack.enter_async_context(running(settings, **(parts or {})))


class Clock:
    """Real time plus what a test adds."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


class Seconds:
    """A clock that advances only when told to."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def __call__(self) -> float:
        return self.now


class Calls:
    """Counts calls to the resource since it was made."""

    def __init__(self) -> None:
        self._before = self._counts()

    def __call__(self, operation: str) -> int:
        return self._counts()[operation] - self._before[operation]

    def _counts(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for metric in metrics.RESOURCE_CALLS.collect():
            for sample in metric.samples:
                if sample.name.endswith("_total"):
                    counts[sample.labels["operation"]] += int(sample.value)
        return counts
