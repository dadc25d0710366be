"""What a crowd must not cause: failures of the database, and calls that are made twice."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

import pytest
from running_service import Calls, Services, until, until_async, until_faults_are_used
from sqlalchemy import event
from test_token_service_storage_failures import execute

from acs_token_service.people.database import Database, DatabaseBusyError
from acs_token_service.people.store import People, Person, Subject
from acs_token_service.telemetry.logs import Repeated
from acs_token_service.tokens import deadlines
from acs_token_service.tokens.admission import Admission, FullError
from acs_token_service.tokens.errors import TimedOutError
from acs_token_service.tokens.watch import Watch

HIDE = "ALTER TABLE person RENAME TO hidden"
SHOW = "ALTER TABLE hidden RENAME TO person"


class TestAdmission:
    async def test_what_finishes_work_goes_first(self) -> None:
        admission = Admission(1, patience=60)
        order: list[str] = []

        async def use(name: str, *, urgent: bool) -> None:
            async with admission.place(urgent=urgent):
                order.append(name)

        async with admission.place():
            waiting = [asyncio.create_task(use(f"new {n}", urgent=False)) for n in range(2)]
            await asyncio.sleep(0)
            waiting.append(asyncio.create_task(use("finishing", urgent=True)))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        assert order == ["finishing", "new 0", "new 1"]

    async def test_a_caller_that_would_wait_too_long_is_told_at_once(self) -> None:
        admission = Admission(1, patience=0.05)
        async with admission.place():
            await asyncio.sleep(0.2)
            with pytest.raises(FullError):  # nothing is known of how long it takes
                await self.enter(admission)
        async with admission.place():
            waiting = [asyncio.create_task(self.enter(admission, urgent=True)) for _ in range(20)]
            await asyncio.sleep(0)
            started = deadlines.now()
            with pytest.raises(FullError) as told:
                await self.enter(admission)
            assert deadlines.now() - started < 0.05
            assert told.value.retry_after > 0.05
        await asyncio.gather(*waiting)

    @pytest.mark.parametrize("has_its_turn", [False, True])
    async def test_a_caller_that_leaves_blocks_nobody(self, has_its_turn: bool) -> None:
        admission = Admission(1, patience=60)
        async with admission.place():
            leaving = asyncio.create_task(self.enter(admission))
            staying = asyncio.create_task(self.enter(admission))
            await asyncio.sleep(0)
            if not has_its_turn:
                leaving.cancel()
        leaving.cancel()
        await asyncio.wait_for(staying, 30)
        await asyncio.wait_for(self.enter(admission), 30)

    async def enter(self, admission: Admission, *, urgent: bool = False) -> None:
        async with admission.place(urgent=urgent):
            pass


async def test_more_people_than_connections_all_get_tokens(services: Services) -> None:
    browser = await services.start(database_connections=1)
    crowd = [await browser.sign_in(f"person-{number}") for number in range(20)]
    replies = await asyncio.gather(*(visitor.ask() for visitor in crowd))
    assert {reply.status for reply in replies} == {200}


async def test_a_database_with_a_queue_says_that_it_is_busy(services: Services) -> None:
    database = Database(services.storage.database_url, connections=1, patience=0.05)
    try:
        async with database.statement():
            with pytest.raises(DatabaseBusyError, match="busy"):
                async with database.statement():
                    pass
    finally:
        await database.close()


async def test_an_identity_is_recorded_when_the_database_is_back(services: Services) -> None:
    browser = await services.start()
    ada, calls = await browser.sign_in("ada"), Calls()
    services.emulator.inject("create", "delay:0.3")
    asking = asyncio.create_task(ada.ask())
    await until_faults_are_used(services.emulator)
    await execute(services.storage.database_url, HIDE)
    await until(lambda: bool(services.emulator.identities()))
    await asyncio.sleep(0.2)
    await execute(services.storage.database_url, SHOW)
    await asking

    async def has_a_token() -> bool:
        return (await ada.ask()).status == 200

    await until_async(has_a_token)
    assert calls("create") == 1


async def test_a_token_outlasts_a_database_that_fails_after_its_issue(services: Services) -> None:
    browser = await services.start()
    ada, calls = await browser.sign_in("ada"), Calls()
    await ada.token("chat")
    services.emulator.inject("issue", "delay:0.3")
    asking = asyncio.create_task(ada.ask("voip"))
    await until_faults_are_used(services.emulator)
    await execute(services.storage.database_url, HIDE)
    reply = await asking
    assert (reply.status, reply.code) == (503, "DatabaseUnavailable")
    await execute(services.storage.database_url, SHOW)
    assert (await ada.ask("voip")).status == 200
    assert calls("issue") == 2


@pytest.mark.heavy
@pytest.mark.parametrize("storage", ["servers"], indirect=True)
async def test_a_process_that_lost_its_lease_in_the_queue_does_not_issue(
    services: Services,
) -> None:
    import redis

    browser = await services.start()
    ada, calls = await browser.sign_in("ada"), Calls()
    await ada.token("chat")
    services.emulator.inject("issue", "status:429:2")
    bob = await browser.sign_in("bob")
    assert (await bob.ask()).status == 503  # closes the window for two seconds
    asking = asyncio.create_task(ada.ask("voip"))
    with redis.Redis.from_url(services.storage.cache_url) as client:
        await until(lambda: bool(client.keys("*:lease:*:voip")))
        (lease,) = client.keys("*:lease:*:voip")
        client.set(lease, 999)
        await asyncio.sleep(3)
        assert not asking.done()
        assert calls("issue") == 2  # of ada, and the rejected one of bob
        client.delete(lease)
    assert (await asking).status == 200
    assert calls("issue") == 3


class TestWatch:
    @pytest.fixture
    async def database(self, services: Services) -> AsyncIterator[Database]:
        database = Database(services.storage.database_url)
        yield database
        await database.close()

    async def test_one_query_looks_for_all_who_wait(self, database: Database) -> None:
        people = People(database)
        subjects = [Subject("issuer", f"person-{number}") for number in range(50)]
        for subject in subjects[1:]:
            assert await people.insert(subject, people.now() + 60)
        looks: list[int] = []
        statements: list[object] = []

        async def look(keys: Sequence[Subject]) -> dict[Subject, Person | None]:
            looks.append(len(keys))
            return await people.settled(keys)

        event.listen(
            database.engine.sync_engine,
            "before_cursor_execute",
            lambda *each: statements.append(each),
        )
        watch = Watch(look)
        deadline = deadlines.now() + 30
        waiting = [asyncio.create_task(watch.result(each, deadline)) for each in subjects]
        assert await waiting[0] is None  # nobody of that name
        assert (looks, len(statements)) == ([50], 1)
        for subject in subjects[1:]:
            person = await people.find(subject)
            assert person is not None
            await people.settle(person.id, f"identity of {subject.subject}")
        found = [person for person in await asyncio.gather(*waiting) if person is not None]
        assert {person.identity_id for person in found} == {
            f"identity of {subject.subject}" for subject in subjects[1:]
        }
        await watch.close()

    async def test_a_claim_that_runs_out_or_is_given_back_ends_the_wait(
        self, database: Database
    ) -> None:
        people = People(database)
        watch = Watch(people.settled)
        short = await people.insert(Subject("issuer", "short"), people.now() + 0.3)
        long = await people.insert(Subject("issuer", "long"), people.now() + 60)
        assert long is not None
        deadline = deadlines.now() + 30
        waiting = [
            asyncio.create_task(watch.result(Subject("issuer", name), deadline))
            for name in ("short", "long")
        ]
        assert await waiting[0] == short
        assert not waiting[1].done()
        await people.give_claim_back(long)
        assert await waiting[1] == long._replace(claim_until=None)
        await watch.close()

    async def test_a_wait_ends_at_its_deadline(self, database: Database) -> None:
        people = People(database)
        watch = Watch(people.settled)
        await people.insert(Subject("issuer", "ada"), people.now() + 60)
        with pytest.raises(TimedOutError):
            await watch.result(Subject("issuer", "ada"), deadlines.now() + 0.1)
        await watch.close()


def test_what_each_request_meets_is_logged_once_in_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    repeated = Repeated(logging.getLogger("acs_token_service.test"))
    for _ in range(100):
        repeated.note("the database is busy")
    repeated.note("the database cannot be used", ValueError("secret"))
    assert [(each.levelname, each.message) for each in caplog.records] == [
        ("WARNING", "the database is busy"),
        ("ERROR", "the database cannot be used"),
    ]
    assert "ValueError" in vars(caplog.records[1])["error"]
    assert "secret" not in vars(caplog.records[1])["error"]
