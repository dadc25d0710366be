"""Puts the parts together."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from aiohttp import ClientSession, web
from azure.core.credentials import AzureKeyCredential
from azure.core.credentials_async import AsyncTokenCredential

from .people.accounts import Accounts
from .people.database import Database
from .people.endings import Endings
from .people.identities import Identities
from .people.recent import Recent
from .people.store import People
from .people.upkeep import Janitor, Refresher, repeat
from .settings import Settings
from .signin.bearer import Bearers, Issuer, IssuerOptions
from .signin.development import DevelopmentLogin, new_key
from .signin.scopes import AllowedScopes, by_rules
from .signin.signing_keys import PublishedKeys
from .tokens.cache import MemoryCache, TokenCache
from .tokens.calls import Calls
from .tokens.credentials import ConnectionString, KeyFile
from .tokens.encryption import TokenBox
from .tokens.issuing import Tokens
from .tokens.limiter import Limiter
from .tokens.redis_cache import RedisCache
from .tokens.resource import Resource
from .tokens.shared import SharedRedis
from .web.api import Api
from .web.development import DevelopmentRoutes
from .web.health import Health, scrape
from .web.middleware import recording, securing
from .web.person_rates import PersonRates

_LONGEST_LEASE = 6.0
_KEY_FILE_SECONDS = 5.0
_LAST_ROUND = 5.0  # seconds that background work has to finish in when the service stops
_LARGEST_REQUEST = 16 * 1024


async def create_app(
    settings: Settings,
    *,
    allowed_scopes: AllowedScopes | None = None,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> web.Application:
    """The application, ready for a runner or for gunicorn's aiohttp worker.

    :param allowed_scopes: Decides which scopes a person may have, from the claims of the bearer
        token; by default the rules of the settings.
    :param clock: The time in Unix seconds.
    :param monotonic: Seconds that are never set back.
    :raises ValueError: If a setting cannot be used.
    """
    async with contextlib.AsyncExitStack() as stack:
        parts = await _Parts.build(settings, stack, allowed_scopes, clock, monotonic)
        app = web.Application(
            client_max_size=_LARGEST_REQUEST,
            middlewares=[
                securing(settings.allowed_origins, hsts=settings.hsts),
                recording(traced=settings.tracing, log_requests=settings.log_requests),
            ],
        )
        app.add_routes(parts.routes(settings))
        app[HEALTH] = parts.health
        # From here on the application closes the parts.
        closing = stack.pop_all()

    async def lifetime(_app: web.Application) -> AsyncIterator[None]:
        async with closing:
            yield

    app.cleanup_ctx.append(lifetime)
    return app


HEALTH = web.AppKey("HEALTH", Health)


class _Parts:
    """The parts of the application, built from the bottom up."""

    def __init__(self, api: Api, health: Health, development: DevelopmentRoutes | None) -> None:
        self.health = health
        self._api = api
        self._development = development

    def routes(self, settings: Settings) -> list[web.AbstractRouteDef]:
        routes = [*self._api.routes(), *self.health.routes()]
        if self._development is not None:
            routes += self._development.routes()
        if settings.metrics:
            routes.append(web.get("/metrics", scrape))
        return routes

    @classmethod
    async def build(
        cls,
        settings: Settings,
        stack: contextlib.AsyncExitStack,
        allowed_scopes: AllowedScopes | None,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> "_Parts":
        database = _database(settings)
        stack.push_async_callback(database.close)
        shared, cache = _cache(settings)
        if shared is not None:
            stack.push_async_callback(shared.close)
        limiter = _limiter(settings, shared)
        stack.push_async_callback(limiter.close)
        resource = await _resource(settings, stack, clock)
        calls = Calls(limiter, resource)
        rates = PersonRates(settings.person_rate)
        recent = Recent(
            local_seconds=settings.local_seconds,
            local_uses=rates.amount,
            key_id=lambda: resource.key_id,
            monotonic=monotonic,
        )
        accounts, janitor = _accounts(settings, database, cache, limiter, calls, recent, clock)
        stack.push_async_callback(accounts.finish, settings.shutdown_seconds)
        _repeat(stack, janitor.round, settings.upkeep_seconds)
        refresher = _refresher(settings, accounts, recent, clock)
        _repeat(stack, refresher.round, settings.upkeep_seconds)
        login = _development_login(settings, clock)
        issuers = [login.issuer] if login is not None else []
        issuers += await _issuers(settings.issuers, stack, monotonic)
        rules = allowed_scopes or by_rules(settings.scope_rules)
        bearers = Bearers(issuers, rules, leeway=settings.clock_leeway, clock=clock)
        return cls(
            Api(bearers, accounts, rates, patience=settings.request_seconds),
            Health(database, calls, shared, monotonic=monotonic),
            DevelopmentRoutes(login) if login is not None else None,
        )


def _database(settings: Settings) -> Database:
    return Database(
        settings.database_url.get_secret_value(),
        timeout=settings.database_seconds,
        connections=settings.database_connections,
        patience=settings.request_seconds,
    )


def _cache(settings: Settings) -> tuple[SharedRedis | None, TokenCache]:
    if not settings.shares_cache:
        return None, MemoryCache()
    shared = SharedRedis(settings.cache_url.get_secret_value(), timeout=settings.cache_seconds)
    box = TokenBox([key.get_secret_value() for key in settings.cache_keys])
    return shared, RedisCache(shared, box, lease=_lease_seconds(settings))


def _lease_seconds(settings: Settings) -> float:
    """How long other processes wait for a process that died while it issued a token."""
    return min(_LONGEST_LEASE, settings.request_seconds / 2)


def _limiter(settings: Settings, shared: SharedRedis | None) -> Limiter:
    return Limiter(
        {
            "create": settings.limit_create,
            "issue": settings.limit_issue,
            "revoke": settings.limit_revoke,
            "delete": settings.limit_delete,
        },
        reserve=settings.limit_reserve,
        processes=settings.all_processes,
        person_rate=settings.person_issue_rate,
        shared=shared,
    )


async def _resource(
    settings: Settings, stack: contextlib.AsyncExitStack, clock: Callable[[], float]
) -> Resource:
    key_file = None
    endpoint: str
    credential: AzureKeyCredential | AsyncTokenCredential
    if settings.resource_connection_string_file is not None:
        key_file = KeyFile(settings.resource_connection_string_file)
        _repeat(stack, key_file.reload, _KEY_FILE_SECONDS)
        endpoint, credential = key_file.endpoint, key_file.credential
    elif settings.resource_connection_string is not None:
        given = ConnectionString.parse(settings.resource_connection_string.get_secret_value())
        endpoint, credential = given.endpoint, given.credential
    else:
        from azure.identity.aio import DefaultAzureCredential

        endpoint = str(settings.resource_endpoint)
        credential = await stack.enter_async_context(DefaultAzureCredential())
    minutes = settings.token_lifetime_minutes
    resource = Resource(
        endpoint,
        credential,
        key_file=key_file,
        custom_ids=settings.custom_ids,
        timeout=settings.call_seconds,
        lifetime=None if minutes is None else timedelta(minutes=minutes),
        traced=settings.tracing,
        clock=clock,
    )
    stack.push_async_callback(resource.close)
    return resource


def _accounts(
    settings: Settings,
    database: Database,
    cache: TokenCache,
    limiter: Limiter,
    calls: Calls,
    recent: Recent,
    clock: Callable[[], float],
) -> tuple[Accounts, Janitor]:
    people = People(database, clock=clock)
    patience, call_seconds = settings.request_seconds, settings.call_seconds
    identities = Identities(
        people,
        calls,
        has_custom_ids=settings.custom_ids,
        patience=patience,
        call_seconds=call_seconds,
    )
    tokens = Tokens(
        cache,
        limiter,
        calls,
        min_remaining=settings.min_remaining,
        patience=patience,
        lease=_lease_seconds(settings),
        clock=clock,
    )
    endings = Endings(
        people,
        calls,
        tokens,
        patience=patience,
        call_seconds=call_seconds,
        local_seconds=settings.local_seconds,
    )
    accounts = Accounts(people, identities, tokens, endings, recent)
    return accounts, Janitor(people, endings, grace=patience + 2 * call_seconds)


def _refresher(
    settings: Settings, accounts: Accounts, recent: Recent, clock: Callable[[], float]
) -> Refresher:
    return Refresher(
        accounts,
        recent,
        remaining=settings.refresh_remaining,
        active_seconds=settings.active_seconds,
        clock=clock,
    )


def _development_login(settings: Settings, clock: Callable[[], float]) -> DevelopmentLogin | None:
    if not settings.development_login:
        return None
    key = settings.development_key
    return DevelopmentLogin(key.get_secret_value() if key else new_key(), clock)


async def _issuers(
    options: tuple[IssuerOptions, ...],
    stack: contextlib.AsyncExitStack,
    monotonic: Callable[[], float],
) -> list[Issuer]:
    if not options:
        return []
    session = await stack.enter_async_context(ClientSession())
    return [
        Issuer(
            each,
            PublishedKeys(
                session,
                each.issuer,
                each.jwks_uri or f"{each.issuer.rstrip('/')}/.well-known/openid-configuration",
                is_configuration=each.jwks_uri is None,
                clock=monotonic,
            ),
        )
        for each in options
    ]


def _repeat(
    stack: contextlib.AsyncExitStack, round_: Callable[[], Awaitable[object]], seconds: float
) -> None:
    stopping = asyncio.Event()
    task = asyncio.create_task(repeat(round_, seconds, stopping))

    async def stop() -> None:
        # A round that is cut short would leave a connection to the database in an unknown state.
        stopping.set()
        await asyncio.wait([task], timeout=_LAST_ROUND)
        task.cancel()
        await asyncio.wait([task])

    stack.push_async_callback(stop)
