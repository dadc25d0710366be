"""Leases, renewals ahead of time, encryption at rest."""

import asyncio
import json
from typing import Any

import pytest
from running_service import CACHE_KEY, Calls, Clock, Services, until
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from acs_token_service.people.recent import Recent
from acs_token_service.people.schema import metadata
from acs_token_service.people.store import Person, Subject
from acs_token_service.tokens.cache import MemoryCache, Slot
from acs_token_service.tokens.credentials import key_id
from acs_token_service.tokens.encryption import TokenBox, new_key
from acs_token_service.tokens.resource import IssuedToken


async def test_for_a_moment_the_database_is_not_asked_again(services: Services) -> None:
    browser = await services.start(local_seconds=60)
    ada = await browser.sign_in()
    token = await ada.token()
    engine = create_async_engine(services.storage.database_url)
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE person RENAME TO hidden"))
    await engine.dispose()
    assert await ada.token() == token
    assert (await ada.ask("chat")).status == 503  # of other scopes nothing is known


async def test_a_sign_out_is_answered_when_no_process_hands_the_token_out(
    services: Services,
) -> None:
    processes = [await services.start(local_seconds=1), await services.start(local_seconds=1)]
    ada = await processes[0].sign_in()
    there = ada.at(processes[1])
    await there.token()
    leaving = asyncio.create_task(ada.sign_out())
    while not leaving.done():
        assert (await there.ask()).status in (200, 401, 503)
        await asyncio.sleep(0.05)
    assert (await leaving).status == 204
    for _ in range(5):
        assert (await there.ask()).code == "SignedOut"


async def test_an_active_person_does_not_wait_for_a_new_token(services: Services) -> None:
    clock = Clock()
    browser = await services.start({"clock": clock}, upkeep_seconds=0.05)
    ada = await browser.sign_in()
    before = await ada.token()
    calls = Calls()
    clock.offset = 16 * 3600  # a third is left: enough to be served, and time for a new one
    await until(lambda: calls("issue") == 1)
    after = await ada.token()
    while after == before:  # the new one is issued, and about to be cached
        await asyncio.sleep(0.02)
        after = await ada.token()
    assert services.emulator.is_token_valid(after)
    assert calls("issue") == 1


def test_what_a_replaced_key_issued_is_not_renewed() -> None:
    keys = ["old"]
    recent = Recent(local_seconds=60, local_uses=9, key_id=lambda: keys[-1])
    ada = Person("1", "8:acs:1", None, 0, not_before=0, revoking_until=None, last_seen=0)
    subject = Subject("issuer", "ada")
    slot = Slot("8:acs:1", 0, ("chat",), "old")
    recent.remember(subject, ada, slot, IssuedToken("token", 0, 9), recent.now())
    assert recent.leased(subject, 1, ("chat",)) is not None
    assert len(list(recent)) == 1
    keys.append("new")
    assert recent.leased(subject, 1, ("chat",)) is None
    assert list(recent) == []


async def test_the_memory_keeps_one_token_for_one_key() -> None:
    cache = MemoryCache()
    old = Slot("8:acs:1", 0, ("chat",), "old")
    new = old._replace(key_id="new")
    await cache.put(old, IssuedToken("a", 0, 9), 0)
    assert await cache.get(new) is None
    await cache.put(new, IssuedToken("b", 0, 9), 0)
    assert await cache.get(old) is None
    assert await cache.get(new) == IssuedToken("b", 0, 9)


def test_a_key_id_tells_keys_apart_and_does_not_show_them() -> None:
    assert key_id("c2VjcmV0") == key_id("c2VjcmV0") != key_id("c2VjcmV1")
    assert len(key_id("c2VjcmV0")) == 24
    assert "c2VjcmV0" not in key_id("c2VjcmV0")


async def test_somebody_who_left_gets_no_new_token(services: Services) -> None:
    clock = Clock()
    browser = await services.start({"clock": clock}, upkeep_seconds=0.05, active_seconds=0)
    ada = await browser.sign_in()
    await ada.token()
    calls = Calls()
    clock.offset = 16 * 3600
    await asyncio.sleep(0.5)
    assert calls("issue") == 0


async def test_a_token_that_is_nearly_over_is_not_served(services: Services) -> None:
    clock = Clock()
    browser = await services.start({"clock": clock}, min_remaining=0.5, refresh_remaining=0.5)
    ada = await browser.sign_in()
    before = await ada.token()
    clock.offset = 11 * 3600
    assert await ada.token() == before
    clock.offset = 13 * 3600
    assert await ada.token() != before


async def test_the_lifetime_is_the_one_that_is_set(services: Services) -> None:
    browser = await services.start(token_lifetime_minutes=60)
    reply = await (await browser.sign_in()).ask()
    payload = reply.body["token"].split(".")[1]
    import base64

    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims["exp"] - claims["iat"] == 3600


async def test_the_database_holds_no_token_and_no_key(services: Services) -> None:
    browser = await services.start()
    ada, bob = await browser.sign_in("ada"), await browser.sign_in("bob")
    tokens = [await ada.token(), await bob.token()]
    await bob.delete()
    engine = create_async_engine(services.storage.database_url)
    async with engine.connect() as connection:
        stored = ""
        for table in metadata.tables.values():
            stored += repr((await connection.execute(table.select())).all())
    await engine.dispose()
    identity = services.emulator.identities()[0].id
    assert identity in stored
    assert "bob" not in stored  # a deleted person leaves a hash
    for secret in (*tokens, ada.bearer, bob.bearer, services.emulator.access_key, CACHE_KEY):
        assert secret not in stored


@pytest.mark.heavy
@pytest.mark.parametrize("storage", ["servers"], indirect=True)
async def test_redis_holds_no_token_and_no_identity_in_clear(
    services: Services, redis_server: Any
) -> None:
    import redis

    browser = await services.start()
    reply = await (await browser.sign_in("ada-lovelace")).ask()
    with redis.Redis(redis_server.host, redis_server.port) as client:
        stored = b""
        for key in client.scan_iter():
            kind = client.type(key)
            stored += key + (repr(client.hgetall(key)).encode() if kind == b"hash" else b"")
    assert stored
    for secret in (reply.body["token"], reply.body["identity"], "ada-lovelace"):
        assert secret.encode() not in stored


@pytest.mark.heavy
@pytest.mark.parametrize("storage", ["servers"], indirect=True)
async def test_keys_are_rotated_without_a_new_token(services: Services) -> None:
    old, new = new_key(), new_key()
    first = await services.start(cache_keys=old)
    ada = await first.sign_in()
    token = await ada.token()
    second = await services.start(cache_keys=f"{new},{old}")
    assert await ada.at(second).token() == token
    third = await services.start(cache_keys=new)  # too early: it costs a call and nothing else
    assert (await ada.at(third).ask()).status == 200


def test_what_cannot_be_decrypted_is_no_token() -> None:
    box, another = TokenBox([new_key()]), TokenBox([new_key()])
    issued = IssuedToken("token", 1.0, 2.0)
    assert box.open(box.seal(issued)) == issued
    for sealed in (b"", b"x", another.seal(issued), box.seal(issued)[:-5]):
        assert box.open(sealed) is None
    with pytest.raises(ValueError, match="32 bytes") as caught:
        TokenBox(["c2VjcmV0"])
    assert "c2VjcmV0" not in str(caught.value)
