"""A process is killed in the middle of each step, and another one continues."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession
from cable import Cable, cable_to
from processes import Program, environment_of, program
from running_service import (
    Browser,
    Services,
    Visitor,
    until,
    until_async,
    until_faults_are_used,
)
from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine
from yarl import URL

from acs_token_service.people.schema import person, retired

Step = Callable[[Visitor], Awaitable[Any]]


class Crash:
    """A program that is killed while it calls the resource, and a second one that continues."""

    def __init__(self, services: Services, cable: Cable, stack: AsyncExitStack) -> None:
        self.emulator = services.emulator
        self._services = services
        self._cable = cable
        self._stack = stack
        endpoint = str(URL(services.emulator.endpoint).with_port(cable.port))
        key = services.emulator.access_key
        self._changes: dict[str, Any] = {
            "resource_connection_string": f"endpoint={endpoint};accesskey={key}",
            "request_seconds": 2,
            "call_seconds": 2,
            "upkeep_seconds": 0.2,
            "local_seconds": 0.1,
        }

    async def start(self) -> tuple[Program, Browser]:
        settings = self._services.settings(**self._changes)
        running = await self._stack.enter_async_context(
            program(environment={**environment_of(settings), "ACS_TOKEN_MIGRATE": "false"})
        )
        session = await self._stack.enter_async_context(ClientSession())
        return running, Browser(running.url, session)

    @asynccontextmanager
    async def another(self) -> AsyncIterator[tuple[Program, Browser]]:
        """A program that runs until the end of the block."""
        async with AsyncExitStack() as stack:
            yield await Crash(self._services, self._cable, stack).start()

    def hold_answers(self) -> None:
        """From now on nothing of what the resource answers arrives."""
        self._cable.hold_answers()

    async def mend(self) -> None:
        """Cuts all connections to the resource, and allows new ones."""
        await self._cable.cut()
        await self._cable.mend()

    async def before(self, operation: str, victim: Program, asking: Awaitable[Any]) -> None:
        """Kills the program when its request has arrived, before the resource acts on it."""
        self.emulator.inject(operation, "delay:1")
        task = asyncio.ensure_future(asking)
        await until_faults_are_used(self.emulator)
        await victim.kill()
        await lost(task)

    async def after(
        self, is_done: Callable[[], bool], victim: Program, asking: Awaitable[Any]
    ) -> None:
        """Kills the program when the resource has acted, before the answer has arrived."""
        self.hold_answers()
        task = asyncio.ensure_future(asking)
        await until(is_done)
        await victim.kill()
        await lost(task)
        await self.mend()


async def lost(task: "asyncio.Future[Any]") -> None:
    """The browser sees that its connection broke."""
    with pytest.raises(ClientError):
        await task


@pytest.fixture
async def crash(services: Services) -> AsyncIterator[Crash]:
    url = URL(services.emulator.endpoint)
    assert url.host is not None
    assert url.port is not None
    async with AsyncExitStack() as stack:
        cable = await stack.enter_async_context(cable_to(url.host, url.port))
        yield Crash(services, cable, stack)


async def eventually(step: Callable[[], Awaitable[Any]]) -> Any:
    """Repeats a request after Retry-After, as a browser does."""
    reply = await step()
    for _ in range(60):
        if reply.status != 503:
            break
        await asyncio.sleep(0.25)
        reply = await step()
    assert reply.status != 503, reply.body
    return reply


async def rows(services: Services) -> tuple[list[str], list[str]]:
    """The identities of people, and those that are retired."""
    engine = create_async_engine(services.storage.database_url)
    async with engine.connect() as connection:
        found = (await connection.execute(select(person.c.identity_id))).scalars().all()
        unused = (await connection.execute(select(retired.c.identity_id))).scalars().all()
    await engine.dispose()
    return [str(each) for each in found], [str(each) for each in unused]


async def check_one_identity_each(services: Services) -> None:
    found, unused = await rows(services)
    existing = {identity.id for identity in services.emulator.identities()}
    assert len(set(found)) == len(found)
    assert existing == set(found) | (existing & set(unused))


@pytest.mark.heavy
@pytest.mark.parametrize("moment", ["before", "after"])
class TestKilled:
    async def kill(
        self,
        crash: Crash,
        moment: str,
        operation: str,
        victim: Program,
        is_done: Callable[[], bool],
        asking: Awaitable[Any],
    ) -> None:
        if moment == "before":
            await crash.before(operation, victim, asking)
        else:
            await crash.after(is_done, victim, asking)

    async def test_while_it_creates_the_identity(
        self, services: Services, crash: Crash, moment: str
    ) -> None:
        (victim, first), (_, second) = await crash.start(), await crash.start()
        ada = await first.sign_in("ada")
        await self.kill(
            crash, moment, "create", victim, lambda: bool(crash.emulator.identities()), ada.ask()
        )
        reply = await eventually(ada.at(second).ask)
        assert reply.status == 200
        await asyncio.sleep(1)  # what the killed process sent may still arrive
        assert len(crash.emulator.identities()) == 1
        await check_one_identity_each(services)

    async def test_while_it_issues_the_token(
        self, services: Services, crash: Crash, moment: str
    ) -> None:
        (victim, first), (_, second) = await crash.start(), await crash.start()
        ada = await first.sign_in("ada")
        assert (await ada.ask("chat")).status == 200
        (before,) = crash.emulator.identities()

        def is_issued() -> bool:
            (now,) = crash.emulator.identities()
            return now != before

        await asyncio.sleep(1.1)  # the time of the last token is in whole seconds
        await self.kill(crash, moment, "issue", victim, is_issued, ada.ask("voip"))
        reply = await eventually(lambda: ada.at(second).ask("voip"))
        assert crash.emulator.is_token_valid(reply.body["token"])
        await check_one_identity_each(services)

    async def test_while_it_revokes(self, services: Services, crash: Crash, moment: str) -> None:
        (victim, first), (_, second) = await crash.start(), await crash.start()
        ada = await first.sign_in("ada")
        token = await ada.token()
        await self.kill(
            crash,
            moment,
            "revoke",
            victim,
            lambda: not crash.emulator.is_token_valid(token),
            ada.sign_out(),
        )
        # The sign-out takes effect with its first step, whether or not tokens were revoked.
        assert (await ada.at(second).ask()).code == "SignedOut"
        await asyncio.sleep(1)
        again = await second.sign_in("ada")
        reply = await eventually(again.ask)
        assert reply.body["token"] != token
        await until(lambda: not crash.emulator.is_token_valid(token))
        assert crash.emulator.is_token_valid((await eventually(again.ask)).body["token"])
        await check_one_identity_each(services)

    async def test_while_it_deletes(self, services: Services, crash: Crash, moment: str) -> None:
        (victim, first), (_, second) = await crash.start(), await crash.start()
        ada = await first.sign_in("ada")
        token = await ada.token()
        await self.kill(
            crash,
            moment,
            "delete",
            victim,
            lambda: not crash.emulator.identities(),
            ada.delete(),
        )
        assert (await ada.at(second).ask()).code == "SignedOut"
        await until_async(lambda: nothing_is_left(services))
        assert not crash.emulator.is_token_valid(token)


async def nothing_is_left(services: Services) -> bool:
    return await rows(services) == ([], []) and not services.emulator.identities()
