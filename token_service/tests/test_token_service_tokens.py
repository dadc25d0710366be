"""A token: issued once, cached, revoked, deleted."""

import asyncio
from datetime import datetime, timezone

import pytest
from running_service import Clock, Services, until, until_faults_are_used


async def test_a_token_is_issued_once_and_then_cached(services: Services) -> None:
    browser = await services.start()
    ada = await browser.sign_in()
    first = await ada.ask("chat")
    assert first.status == 200
    assert first.body["scopes"] == ["chat"]
    assert services.emulator.is_token_valid(first.body["token"])
    expires_on = datetime.fromisoformat(first.body["expiresOn"].replace("Z", "+00:00"))
    assert 23 <= (expires_on - datetime.now(timezone.utc)).total_seconds() / 3600 <= 24
    (identity,) = services.emulator.identities()
    assert first.body["identity"] == identity.id
    assert (await ada.ask("chat")).body == first.body


async def test_however_many_ask_at_once_get_one_token(services: Services) -> None:
    processes = [await services.start(), await services.start()]
    ada = await processes[0].sign_in()
    replies = await asyncio.gather(*(ada.at(processes[n % 2]).ask() for n in range(20)))
    assert {reply.status for reply in replies} == {200}
    tokens = {reply.body["token"] for reply in replies}
    # Without Redis each process has its own token.
    assert len(tokens) == (1 if services.storage.is_shared else 2)
    assert len({reply.body["identity"] for reply in replies}) == 1
    assert len(services.emulator.identities()) == 1


async def test_a_sign_out_revokes_and_no_process_hands_the_token_out_again(
    services: Services,
) -> None:
    processes = [await services.start(), await services.start()]
    ada = await processes[0].sign_in()
    tokens = {await ada.at(process).token() for process in processes}
    assert (await ada.sign_out()).status == 204
    assert not any(services.emulator.is_token_valid(token) for token in tokens)
    for process in processes:
        refused = await ada.at(process).ask()
        assert (refused.status, refused.code) == (401, "SignedOut")


@pytest.mark.parametrize("local_seconds", [0, 2])
async def test_a_token_that_was_issued_across_a_sign_out_is_not_handed_out(
    services: Services, local_seconds: int
) -> None:
    # With a lease the token comes while the sign-out still waits for leases to end.
    here = await services.start(local_seconds=local_seconds)
    there = await services.start(local_seconds=local_seconds)
    ada = await here.sign_in()
    await ada.token("chat")
    services.emulator.inject("issue", "delay:1")
    asking = asyncio.create_task(ada.ask("voip"))
    await until_faults_are_used(services.emulator)
    leaving = asyncio.create_task(ada.at(there).sign_out())
    # The resource issues it after the revocation, so that it would be valid.
    reply = await asking
    assert (reply.status, reply.code) == (401, "SignedOut")
    assert (await leaving).status == 204
    assert services.emulator.requests.count("issue") == 2


async def test_a_new_token_waits_for_a_revocation_that_is_due(services: Services) -> None:
    browser = await services.start()
    ada = await browser.sign_in()
    old = await ada.token()
    services.emulator.inject("revoke", "status:503", times=2)
    assert (await ada.sign_out()).status == 202
    assert services.emulator.is_token_valid(old)
    await asyncio.sleep(1)  # bearer tokens count whole seconds
    again = await browser.sign_in()
    services.emulator.inject("revoke", "status:503", times=2)
    assert (await again.ask()).status == 503
    # A revocation that came later would revoke this one as well.
    new = await again.token()
    assert not services.emulator.is_token_valid(old)
    assert services.emulator.is_token_valid(new)


async def test_an_old_token_is_not_handed_out_after_a_sign_out_that_came_meanwhile(
    services: Services,
) -> None:
    clock = Clock()
    here = await services.start({"clock": clock}, call_seconds=0.5)
    there = await services.start({"clock": clock})
    ada = await here.sign_in()
    await ada.token()
    clock.offset = 23 * 3600  # to be renewed, and still valid
    services.emulator.inject("issue", "delay:3", times=2)
    asking = asyncio.create_task(ada.ask())
    await until(lambda: sum(fault.times for fault in services.emulator.unused_faults()) < 2)
    assert (await ada.at(there).sign_out()).status == 204
    reply = await asking
    assert (reply.status, reply.code) == (401, "SignedOut")


async def test_deletion_removes_identity_mapping_and_tokens(services: Services) -> None:
    browser = await services.start()
    ada = await browser.sign_in()
    token = await ada.token()
    assert (await ada.delete()).status == 204
    assert services.emulator.identities() == []
    assert not services.emulator.is_token_valid(token)
    refused = await ada.ask()
    assert (refused.status, refused.code) == (401, "SignedOut")
