"""The resource throttles, fails, or rejects the key: what a browser sees."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from processes import environment_of, program
from running_service import Browser, Calls, Clock, Reply, Services, until, until_faults_are_used

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import CommunicationUserIdentifier
from azure.communication.identity.aio import CommunicationIdentityClient


def status_and_code(reply: Reply) -> tuple[int, str]:
    assert int(reply.headers["Retry-After"]) >= 1
    return reply.status, reply.code


class TestThrottled:
    async def test_no_process_calls_before_the_resource_allows(self, services: Services) -> None:
        first, second = await services.start(), await services.start()
        ada = await first.sign_in("ada")
        cached = await ada.token("chat")
        services.emulator.inject("issue", "status:429:40")
        calls = Calls()
        reply = await ada.ask("voip")
        assert status_and_code(reply) == (503, "Busy")
        assert int(reply.headers["Retry-After"]) == 40
        # Told at once, without another call.
        for browser in [first, second] if services.storage.is_shared else [first]:
            assert status_and_code(await ada.at(browser).ask("voip")) == (503, "Busy")
        assert calls("issue") == 1
        assert await ada.token("chat") == cached

    async def test_the_window_opens_again(self, services: Services) -> None:
        browser = await services.start()
        ada = await browser.sign_in("ada")
        services.emulator.inject("issue", "status:429:1")
        assert status_and_code(await ada.ask()) == (503, "Busy")
        calls = Calls()
        assert (await ada.ask()).status == 200  # waits in the queue for the second
        assert calls("issue") == 1

    async def test_without_retry_after_it_closes_for_the_documented_window(
        self, services: Services
    ) -> None:
        browser = await services.start()
        ada = await browser.sign_in("ada")
        services.emulator.inject("create", "status:429")
        reply = await ada.ask()
        assert status_and_code(reply) == (503, "Busy")
        assert int(reply.headers["Retry-After"]) == 30


class TestDown:
    @pytest.mark.parametrize("fault", ["status:500", "status:503:3", "html", "reset", "no-fields"])
    @pytest.mark.parametrize("operation", ["create", "issue"])
    async def test_one_failure_is_repeated_and_two_are_told(
        self, services: Services, operation: str, fault: str
    ) -> None:
        browser = await services.start()
        ada = await browser.sign_in("ada")
        services.emulator.inject(operation, fault, times=1)
        assert (await ada.ask("chat")).status == 200
        bob = await browser.sign_in("bob")
        services.emulator.inject(operation, fault, times=2)
        assert status_and_code(await bob.ask("chat")) == (503, "ResourceUnavailable")
        assert (await bob.ask("chat")).status == 200
        assert len(services.emulator.identities()) == 2

    async def test_what_is_cached_goes_on_even_when_it_should_be_renewed(
        self, services: Services
    ) -> None:
        clock = Clock()
        browser = await services.start({"clock": clock})
        ada = await browser.sign_in("ada")
        token = await ada.token()
        clock.offset = 23 * 3600  # an hour is left, and a quarter of a day is wanted
        services.emulator.inject("issue", "status:503", times=2)
        assert await ada.token() == token
        assert await ada.token() != token

    async def test_an_identity_that_the_resource_lost_is_replaced(self, services: Services) -> None:
        browser = await services.start()
        ada = await browser.sign_in("ada")
        before = await ada.ask("chat")
        client = CommunicationIdentityClient.from_connection_string(
            services.emulator.connection_string
        )
        async with client:
            await client.delete_user(CommunicationUserIdentifier(before.body["identity"]))
        after = await ada.ask("voip")
        assert after.status == 200
        assert after.body["identity"] != before.body["identity"]
        assert (await ada.sign_out()).status == 204

    async def test_the_404_of_a_proxy_replaces_no_identity(self, services: Services) -> None:
        browser = await services.start()
        ada = await browser.sign_in("ada")
        before = await ada.ask("chat")
        services.emulator.inject("issue", "status:404", times=2)
        assert status_and_code(await ada.ask("voip")) == (503, "ResourceUnavailable")
        assert (await ada.ask("voip")).body["identity"] == before.body["identity"]

    @pytest.mark.parametrize(("operation", "end"), [("revoke", "sign_out"), ("delete", "delete")])
    async def test_the_404_of_a_proxy_confirms_nothing(
        self, services: Services, operation: str, end: str
    ) -> None:
        browser = await services.start()
        ada = await browser.sign_in("ada")
        token = await ada.token()
        # Its claims are over soon.
        impatient = await services.start(upkeep_seconds=0.05, request_seconds=1, call_seconds=0.5)
        services.emulator.inject(operation, "status:404", times=2)
        assert (await getattr(ada.at(impatient), end)()).status == 202
        await until(lambda: not services.emulator.is_token_valid(token))  # by the janitor

    @pytest.mark.parametrize("status", [400, 404])
    async def test_an_error_of_a_proxy_leaves_readiness_readable(
        self, services: Services, status: int
    ) -> None:
        browser = await services.start()
        services.emulator.inject("revoke", f"status:{status}")
        ready = await browser.send("GET", "/readyz")
        assert (ready.status, ready.body["resource"]) == (200, "unavailable")

    async def test_another_resource_does_not_take_the_identities_from_people(
        self, services: Services
    ) -> None:
        ada = await (await services.start()).sign_in("ada")
        before = await ada.ask("chat")
        async with IdentityEmulator() as another:
            wrong = await services.start(resource_connection_string=another.connection_string)
            assert status_and_code(await ada.at(wrong).ask("voip")) == (503, "ResourceUnavailable")
            assert another.identities() == []
        after = await ada.ask("voip")
        assert after.body["identity"] == before.body["identity"]


class TestKey:
    @pytest.mark.parametrize("local_seconds", [0, 60])
    async def test_a_rotated_key_is_read_from_the_file_without_a_restart(
        self, services: Services, tmp_path: Path, local_seconds: int
    ) -> None:
        emulator, file = services.emulator, tmp_path / "connection-string"
        file.write_text(emulator.connection_string)
        browser = await services.start(
            resource_connection_string=None,
            resource_connection_string_file=file,
            local_seconds=local_seconds,
        )
        ada = await browser.sign_in("ada")
        await ada.token("chat")
        emulator.rotate_key("primary")
        assert status_and_code(await ada.ask("voip")) == (503, "ResourceUnavailable")
        file.write_text(emulator.connection_string)
        assert emulator.is_token_valid(await ada.token("voip"))
        # The rotation has revoked the token that was handed out before.
        new = await ada.token("chat")
        assert emulator.is_token_valid(new)
        assert await ada.token("chat") == new

    async def test_all_calls_that_meet_a_rotated_key_are_repeated(
        self, services: Services, tmp_path: Path
    ) -> None:
        emulator, file = services.emulator, tmp_path / "connection-string"
        file.write_text(emulator.connection_string)
        browser = await services.start(
            resource_connection_string=None, resource_connection_string_file=file
        )
        people = [await browser.sign_in(name) for name in ("ada", "bob")]
        for person in people:
            await person.token("chat")
        emulator.rotate_key("primary")
        file.write_text(emulator.connection_string)
        # One is rejected when the other has read the file.
        emulator.inject("issue", "delay:0.3")
        tokens = await asyncio.gather(*(person.token("voip") for person in people))
        assert all(map(emulator.is_token_valid, tokens))

    async def test_a_restart_with_a_new_key_hands_out_no_token_of_the_old_one(
        self, services: Services
    ) -> None:
        ada = await (await services.start()).sign_in("ada")
        await ada.token()
        services.emulator.rotate_key("primary")
        restarted = await services.start()
        assert services.emulator.is_token_valid(await ada.at(restarted).token())

    async def test_a_rotation_of_the_other_key_costs_no_token(
        self, services: Services, tmp_path: Path
    ) -> None:
        file = tmp_path / "connection-string"
        file.write_text(services.emulator.connection_string)
        key: dict[str, Any] = {
            "resource_connection_string": None,
            "resource_connection_string_file": file,
        }
        browser = await services.start(**key)
        ada = await browser.sign_in("ada")
        token = await ada.token()
        services.emulator.rotate_key("secondary")
        assert await ada.token() == token
        if services.storage.is_shared:
            assert await ada.at(await services.start(**key)).token() == token
        assert services.emulator.is_token_valid(token)

    async def test_a_wrong_key_fails_readiness_and_is_never_shown(
        self, services: Services, caplog: pytest.LogCaptureFixture
    ) -> None:
        key = "bm90IHRoZSBrZXkgb2YgdGhpcyByZXNvdXJjZQ=="
        wrong = f"endpoint={services.emulator.endpoint};accesskey={key}"
        browser = await services.start(resource_connection_string=wrong)
        ada = await browser.sign_in("ada")
        reply = await ada.ask()
        assert status_and_code(reply) == (503, "ResourceUnavailable")
        ready = await browser.send("GET", "/readyz")
        assert (ready.status, ready.body["resource"]) == (503, "key rejected")
        assert key not in caplog.text + str(reply) + str(ready)

    async def test_a_clock_that_is_off_fails_readiness(self, services: Services) -> None:
        browser = await services.start()
        ada = await browser.sign_in("ada")
        services.emulator.inject("any", "clock:10", times=2)
        assert status_and_code(await ada.ask()) == (503, "ResourceUnavailable")
        ready = await browser.send("GET", "/readyz")
        assert (ready.status, ready.body["resource"]) == (503, "key rejected")

    async def test_a_resource_that_is_down_leaves_the_service_ready(
        self, services: Services, caplog: pytest.LogCaptureFixture
    ) -> None:
        browser = await services.start()
        services.emulator.inject("any", "status:503")
        ready = await browser.send("GET", "/readyz")
        assert (ready.status, ready.body["resource"]) == (200, "unavailable")
        assert "revoke: the resource answers with 503" in caplog.text

    async def test_the_log_says_why_the_resource_does_not_answer(
        self, services: Services, caplog: pytest.LogCaptureFixture
    ) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
            browser = await services.start(
                resource_connection_string=f"endpoint={url};accesskey={services.emulator.access_key}"
            )
            await browser.send("GET", "/readyz")
        assert "revoke: the resource does not answer (ConnectionRefusedError)" in caplog.text

    async def test_a_key_that_works_leaves_no_warning(
        self, services: Services, caplog: pytest.LogCaptureFixture
    ) -> None:
        browser = await services.start()
        assert (await browser.send("GET", "/readyz")).body["resource"] == "ok"
        assert "resource" not in caplog.text


@pytest.mark.heavy
async def test_entra_in_place_of_a_key(services: Services) -> None:
    pytest.importorskip("azure.identity")
    with IdentityEmulator(tls=True) as emulator:
        settings = services.settings(
            resource_connection_string=None, resource_endpoint=emulator.endpoint
        )
        environment = {
            **environment_of(settings),
            **emulator.trust_environment,
            **emulator.managed_identity_environment,
        }
        async with program(environment=environment) as running, ClientSession() as session:
            browser = Browser(running.url, session)
            ready = await browser.send("GET", "/readyz")
            assert (ready.status, ready.body["resource"]) == (200, "ok")
            ada = await browser.sign_in("ada")
            assert emulator.is_token_valid(await ada.token())
            assert await running.stop() == 0


async def test_a_browser_that_goes_away_does_not_stop_the_issue(services: Services) -> None:
    browser = await services.start()
    ada = await browser.sign_in("ada")
    await ada.token("chat")
    services.emulator.inject("issue", "delay:0.5")
    calls = Calls()
    gone = asyncio.create_task(ada.ask("voip"))
    await until_faults_are_used(services.emulator)
    gone.cancel()
    await asyncio.wait([gone])
    assert (await ada.ask("voip")).status == 200
    assert calls("issue") == 1
