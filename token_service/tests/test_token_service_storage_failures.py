"""Redis or the database fails: what a browser sees, and that nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from cable import Cable, cable_to
from running_service import Browser, Services
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine


class Cables:
    """The ways from the service to its servers."""

    def __init__(self, redis: Cable, postgresql: Cable, services: Services) -> None:
        self.redis = redis
        self.postgresql = postgresql
        self._services = services
        storage = services.storage
        self._urls = {
            "cache_url": f"redis://127.0.0.1:{redis.port}/0",
            "database_url": make_url(storage.database_url)
            .set(host="127.0.0.1", port=postgresql.port)
            .render_as_string(hide_password=False),
        }

    async def start(self, **changes: Any) -> Browser:
        return await self._services.start(
            **{**self._urls, "cache_seconds": 0.3, "database_seconds": 1, **changes}
        )


@pytest.fixture
async def cables(
    services: Services, redis_server: Any, postgresql_server: Any
) -> AsyncIterator[Cables]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(cable_to(redis_server.host, redis_server.port))
        postgresql = await stack.enter_async_context(
            cable_to(postgresql_server.host, postgresql_server.port)
        )
        yield Cables(redis, postgresql, services)


@pytest.mark.heavy
@pytest.mark.parametrize("storage", ["servers"], indirect=True)
@pytest.mark.parametrize("failure", ["gone", "slow"])
class TestRedis:
    async def fail(self, cables: Cables, failure: str) -> None:
        if failure == "gone":
            await cables.redis.cut()
        else:
            cables.redis.stall()

    async def test_tokens_are_issued_and_kept_in_the_process(
        self, services: Services, cables: Cables, failure: str
    ) -> None:
        browser = await cables.start()
        ada = await browser.sign_in("ada")
        before = await ada.token()
        await self.fail(cables, failure)
        meanwhile = await ada.token()
        assert services.emulator.is_token_valid(meanwhile)
        assert meanwhile != before
        assert await ada.token() == meanwhile  # not one for each request
        bob = await browser.sign_in("bob")
        assert services.emulator.is_token_valid(await bob.token())

        ready = await browser.send("GET", "/readyz")
        assert (ready.status, ready.body["sharedCache"]) == (200, "unavailable")
        await cables.redis.mend()
        await wait_until_shared_again(browser)
        assert await ada.token() == before

    async def test_a_sign_out_holds_when_redis_is_back_with_the_old_token(
        self, services: Services, cables: Cables, failure: str
    ) -> None:
        browser = await cables.start()
        ada = await browser.sign_in("ada")
        before = await ada.token()
        await self.fail(cables, failure)
        assert (await ada.sign_out()).status == 204
        await cables.redis.mend()
        await wait_until_shared_again(browser)
        await asyncio.sleep(1)  # bearer tokens count whole seconds
        after = await (await browser.sign_in("ada")).token()
        assert after != before
        assert services.emulator.is_token_valid(after)
        assert not services.emulator.is_token_valid(before)

    async def test_the_limits_hold_per_process(
        self, services: Services, cables: Cables, failure: str
    ) -> None:
        options = {"limit_issue": 10, "processes": 2, "request_seconds": 3, "limit_reserve": 0}
        browser = await cables.start(**options)
        await self.fail(cables, failure)
        people = [await browser.sign_in(f"person-{number}") for number in range(8)]
        replies = [await person.ask() for person in people]
        assert [reply.status for reply in replies] == [200] * 5 + [503] * 3
        assert all(reply.code == "Busy" for reply in replies[5:])
        assert all(int(reply.headers["Retry-After"]) >= 1 for reply in replies[5:])


async def wait_until_shared_again(browser: Browser) -> None:
    for _ in range(100):
        if (await browser.send("GET", "/readyz")).body["sharedCache"] == "ok":
            return
        await asyncio.sleep(0.1)
    raise AssertionError("Redis is not used again")


@pytest.mark.heavy
@pytest.mark.parametrize("storage", ["servers"], indirect=True)
async def test_an_emptied_redis_costs_calls_and_nothing_else(
    services: Services, redis_server: Any
) -> None:
    import redis

    browser = await services.start()
    ada = await browser.sign_in()
    await ada.token()
    with redis.Redis(redis_server.host, redis_server.port) as client:
        client.flushall()
    assert services.emulator.is_token_valid(await ada.token())
    assert len(services.emulator.identities()) == 1


async def execute(database_url: str, *statements: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


class TestDatabaseGone:
    async def test_a_browser_is_told_to_come_back_and_nothing_is_lost(
        self, services: Services
    ) -> None:
        browser = await services.start()
        ada = await browser.sign_in("ada")
        token = await ada.token()
        url = services.storage.database_url
        await execute(url, "ALTER TABLE person RENAME TO hidden")
        bob = await browser.sign_in("bob")
        for reply in [await ada.ask(), await bob.ask(), await ada.sign_out(), await ada.delete()]:
            assert (reply.status, reply.code) == (503, "DatabaseUnavailable")
            assert int(reply.headers["Retry-After"]) >= 1
        await execute(url, "ALTER TABLE hidden RENAME TO person")
        assert await ada.token() == token
        assert (await bob.ask()).status == 200
        assert len(services.emulator.identities()) == 2

    @pytest.mark.heavy
    @pytest.mark.parametrize("storage", ["servers"], indirect=True)
    @pytest.mark.parametrize("failure", ["gone", "slow"])
    async def test_a_server_that_does_not_answer(
        self, services: Services, cables: Cables, failure: str
    ) -> None:
        browser = await cables.start()
        ada = await browser.sign_in("ada")
        token = await ada.token()
        if failure == "gone":
            await cables.postgresql.cut()
        else:
            cables.postgresql.stall()
        refused = await ada.ask()
        assert (refused.status, refused.code) == (503, "DatabaseUnavailable")
        ready = await browser.send("GET", "/readyz")
        assert (ready.status, ready.body["database"]) == (503, "unavailable")
        assert (await browser.send("GET", "/healthz")).status == 200
        await cables.postgresql.mend()
        for _ in range(50):
            if (await ada.ask()).status == 200:
                break
            await asyncio.sleep(0.1)
        assert await ada.token() == token


class TestDatabaseReadOnly:
    async def test_known_people_get_tokens_and_new_ones_are_told_to_come_back(
        self, services: Services
    ) -> None:
        before = await services.start()
        ada = await before.sign_in("ada")
        await ada.token()
        url = services.storage.database_url
        if services.storage.kind == "embedded":
            read_only = url.replace("sqlite+aiosqlite:///", "sqlite+aiosqlite:///file:")
            browser = await services.start(database_url=f"{read_only}?mode=ro&uri=true")
        else:
            name = make_url(url).database
            await execute(url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
            browser = await services.start()
        assert (await ada.at(browser).ask()).status == 200
        bob = await browser.sign_in("bob")
        for reply in [await bob.ask(), await ada.at(browser).sign_out()]:
            assert (reply.status, reply.code) == (503, "DatabaseUnavailable")
        assert len(services.emulator.identities()) == 1
