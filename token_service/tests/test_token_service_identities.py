"""One identity for each person: races, lost answers, stable API versions."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from running_service import Calls, Services, until
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import create_async_engine

from acs_token_service.people.database import Database, migration_config
from acs_token_service.people.schema import metadata, retired
from acs_token_service.people.store import People, Subject


def unaccounted() -> float:
    return REGISTRY.get_sample_value("acs_token_identities_unaccounted_total") or 0


@pytest.mark.parametrize("fault", ["reset-in-body", "truncated", "no-fields"])
async def test_a_lost_answer_makes_no_second_identity(services: Services, fault: str) -> None:
    browser = await services.start()
    ada = await browser.sign_in()
    services.emulator.inject("create", fault, times=2)
    assert (await ada.ask()).status == 503
    assert (await ada.ask()).status == 200
    assert len(services.emulator.identities()) == 1


@pytest.mark.parametrize("fault", ["reset-in-body", "truncated", "no-fields"])
async def test_without_custom_ids_what_may_be_lost_is_counted(
    services: Services, fault: str
) -> None:
    browser = await services.start(custom_ids=False)
    ada = await browser.sign_in()
    services.emulator.inject("create", fault)
    before, calls = unaccounted(), Calls()
    assert (await ada.ask()).status == 503
    assert (unaccounted() - before, calls("create")) == (1, 1)  # not repeated by itself
    assert (await ada.ask()).status == 200
    assert unaccounted() - before == 1
    assert {identity.custom_id for identity in services.emulator.identities()} == {None}


async def test_two_processes_that_meet_a_person_at_once_make_one_identity(
    services: Services,
) -> None:
    processes = [await services.start(), await services.start()]
    for number in range(5):
        name = f"person-{number}"
        visitor = await processes[0].sign_in(name)
        replies = await asyncio.gather(*(visitor.at(process).ask() for process in processes * 3))
        assert {reply.status for reply in replies} == {200}
        assert len({reply.body["identity"] for reply in replies}) == 1
    assert len(services.emulator.identities()) == 5


async def test_an_identity_that_comes_too_late_is_retired(services: Services) -> None:
    database = Database(services.storage.database_url)
    people = People(database)
    claimed = await people.insert(Subject("issuer", "ada"), claim_until=1.0)
    assert claimed is not None
    await people.settle(claimed.id, "8:acs:in-time")
    await people.settle(claimed.id, "8:acs:in-time")  # the same again: with a custom id
    await people.settle(claimed.id, "8:acs:too-late")
    await people.settle("nobody", "8:acs:of-nobody")
    assert sorted(await people.retired(until=people.now())) == ["8:acs:of-nobody", "8:acs:too-late"]
    found = await people.find(Subject("issuer", "ada"))
    assert found is not None
    assert found.identity_id == "8:acs:in-time"
    await database.close()


async def test_what_the_resource_rejects_does_not_keep_the_janitor_from_the_rest(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await services.start(upkeep_seconds=0.1)
    reply = await (await browser.sign_in()).ask()
    engine = create_async_engine(services.storage.database_url)
    async with engine.begin() as connection:
        for identity in ("not an identity", "neither is this", reply.body["identity"]):
            await connection.execute(insert(retired).values(identity_id=identity, since=0.0))
    await engine.dispose()
    await until(lambda: services.emulator.identities() == [])
    await until(lambda: "rejects a call" in caplog.text)
    assert "Upkeep failed" not in caplog.text


async def test_a_claim_is_given_back_when_the_call_fails(services: Services) -> None:
    browser = await services.start()
    ada = await browser.sign_in()
    services.emulator.inject("create", "status:500", times=2)
    assert (await ada.ask()).status == 503
    other = await services.start()
    assert (await ada.at(other).ask()).status == 200  # without waiting for a claim to run out


async def test_migrations_make_the_tables_of_the_schema(services: Services) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = create_async_engine(services.storage.database_url)
    async with engine.connect() as connection:
        difference = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    await engine.dispose()
    assert difference == []


async def test_a_migration_can_be_undone_and_done_again(services: Services) -> None:
    from alembic import command

    database = Database(services.storage.database_url)
    async with database.transaction() as connection:
        await connection.run_sync(lambda sync: command.downgrade(migration_config(sync), "base"))
    assert not await database.is_current()
    await asyncio.gather(*(database.migrate() for _ in range(2)))
    assert await database.is_current()
    await database.close()
