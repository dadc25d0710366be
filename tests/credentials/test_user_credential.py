"""Behavior of both credentials, without real time."""

import asyncio
import gc
import logging
import sys
import time
import weakref
from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial
from inspect import Parameter, signature
from typing import Any
from unittest.mock import MagicMock

import pytest
from azure.core.credentials import (
    AccessToken,
    AccessTokenInfo,
    SupportsTokenInfo,
    TokenCredential,
)
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError
from credentials.support import START, FakeTimer, SyncDriver
from typing_extensions import get_overloads

from azure.communication.identity._shared import user_credential


class TestArguments:
    def test_something_must_be_given(self, driver: Any) -> None:
        with pytest.raises(ValueError, match="Pass a token, or a token_refresher"):
            driver.make()

    def test_a_refresher_is_a_function(self, driver: Any, jwt: Any, clock: Any) -> None:
        with pytest.raises(TypeError, match=r"token_refresher must be a function .* not str"):
            driver.make(jwt(clock.now + 60), "token")

    @pytest.mark.parametrize("clock", [1_700_000_000, "now"])
    def test_a_clock_is_a_function(self, driver: Any, jwt: Any, clock: Any) -> None:
        with pytest.raises(
            TypeError, match=f"clock must be a function .* not {type(clock).__name__}"
        ):
            driver.make(jwt(1), clock=clock)

    def test_proactive_refresh_needs_a_refresher(self, driver: Any, jwt: Any) -> None:
        with pytest.raises(ValueError, match="'token_refresher'") as caught:
            driver.make(jwt(1), proactive_refresh=True)
        assert str(caught.value) == (
            "When 'proactive_refresh' is True, 'token_refresher' must not be None."
        )

    def test_a_misspelt_keyword_is_refused(self, driver: Any, jwt: Any) -> None:
        with pytest.raises(
            TypeError,
            match=r"CommunicationTokenCredential got .*'token_refreshr'. "
            "Did you mean 'token_refresher'",
        ):
            driver.make(jwt(1), token_refreshr=lambda: "")

    def test_what_is_for_the_pipeline_goes_with_an_entra_credential(
        self, driver: Any, jwt: Any
    ) -> None:
        with pytest.raises(TypeError, match="'retry_total'"):
            driver.make(jwt(1), retry_total=3)

    @pytest.mark.skipif(sys.version_info < (3, 11), reason="typing does not keep overloads")
    def test_overloads_show_the_defaults_of_the_constructor(self, driver: Any) -> None:
        constructor = driver.module.CommunicationTokenCredential.__init__
        actual = signature(constructor).parameters
        overloads = [signature(overload).parameters for overload in get_overloads(constructor)]

        assert len(overloads) == 3
        for parameters in overloads:
            for name, parameter in parameters.items():
                assert parameter.default in (Parameter.empty, actual[name].default)


class TestTokens:
    async def test_a_jwt_is_served(self, driver: Any, jwt: Any) -> None:
        token = jwt(2_000_000_000, name="Zoë")

        served = await driver.get(driver.make(token))

        assert served == AccessToken(token, 2_000_000_000)
        assert type(served.expires_on) is int

    async def test_so_is_a_token_with_its_expiry(self, driver: Any) -> None:
        credential = driver.make(AccessToken("opaque", 2_000_000_000))

        assert await driver.get(credential) == AccessToken("opaque", 2_000_000_000)

    async def test_without_a_refresher_a_token_is_served_expired(
        self, driver: Any, jwt: Any, clock: Any
    ) -> None:
        token = jwt(clock.now - 100)

        assert (await driver.get(driver.make(token, clock=clock))).token == token

    async def test_scopes_and_options_are_ignored(self, driver: Any, jwt: Any) -> None:
        token = jwt(2_000_000_000)
        credential = driver.make(token)

        for served in (
            await driver.get(credential, "chat", claims="{}", tenant_id="", enable_cae=True, x=1),
            await driver.get_info(credential, "chat", options={"claims": "{}"}),
        ):
            assert served.token == token

    async def test_token_info(self, driver: Any) -> None:
        info = await driver.get_info(driver.make(AccessToken("opaque", 2_000_000_000)))

        assert isinstance(info, AccessTokenInfo)
        assert (info.token, info.expires_on, info.token_type, info.refresh_on) == (
            "opaque",
            2_000_000_000,
            "Bearer",
            None,
        )

    def test_it_is_a_credential_of_azure_core(self, driver: Any, jwt: Any) -> None:
        protocols = (
            (AsyncTokenCredential, AsyncSupportsTokenInfo)
            if driver.is_async
            else (TokenCredential, SupportsTokenInfo)
        )

        for protocol in protocols:
            assert isinstance(driver.make(jwt(1)), protocol)

    async def test_it_does_not_show_its_token(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        credential = driver.make(
            AccessToken("secret-1", 1), refresher_class(clock, AccessToken("secret-2", 2**31))
        )
        await driver.get(credential)

        for shown in (str(credential), repr(credential), f"{credential.__dict__}"):
            assert "secret" not in shown


@pytest.mark.usefixtures("fake_timers")
class TestOnDemand:
    @pytest.mark.parametrize(("left", "calls"), [(121, 0), (120, 0), (119, 1), (0, 1), (-600, 1)])
    async def test_refreshed_when_under_two_minutes_are_left(
        self, driver: Any, jwt: Any, clock: Any, refresher_class: Any, left: int, calls: int
    ) -> None:
        refresher = refresher_class(clock)
        token = jwt(clock.now + left)
        credential = driver.make(token, refresher, clock=clock)

        served = await driver.get(credential)

        assert refresher.calls == calls
        assert served.token == ("token-1" if calls else token)

    async def test_again_and_again(self, driver: Any, clock: Any, refresher_class: Any) -> None:
        refresher = refresher_class(clock)
        credential = driver.make(None, refresher, clock=clock)

        for calls in (1, 2, 3):
            for _ in range(3):
                assert (await driver.get(credential)).token == f"token-{calls}"
            clock.now += 3481
        assert refresher.calls == 3

    async def test_a_jwt_may_be_returned(
        self, driver: Any, jwt: Any, clock: Any, refresher_class: Any
    ) -> None:
        token = jwt(clock.now + 100)
        credential = driver.make(None, refresher_class(clock, token), clock=clock)

        assert await driver.get(credential) == AccessToken(token, clock.now + 100)

    async def test_a_token_that_lives_short_is_not_refreshed_each_time(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        refresher = refresher_class(clock, lifetime=60)
        credential = driver.make(None, refresher, clock=clock)

        for _ in range(30):
            await driver.get(credential)
            clock.now += 1
        assert refresher.calls == 1
        await driver.get(credential)
        assert refresher.calls == 2

    async def test_no_timer_runs(self, driver: Any, clock: Any, refresher_class: Any) -> None:
        credential = driver.make(None, refresher_class(clock), clock=clock)
        await driver.get(credential)

        assert driver.timer(credential) is None
        assert credential._timer is None

    async def test_it_may_be_used_when_it_is_closed(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        credential = driver.make(None, refresher_class(clock), clock=clock)
        await driver.enter(credential)
        await driver.close(credential)

        assert (await driver.get(credential)).token == "token-1"


@pytest.mark.usefixtures("fake_timers")
class TestProactive:
    def make(self, driver: Any, clock: Any, refresher: Any, left: int = 3600) -> Any:
        token = AccessToken("first", int(clock.now + left))
        return driver.make(token, refresher, proactive_refresh=True, clock=clock)

    @pytest.mark.parametrize(
        ("left", "interval"),
        [(86400, 85800), (3600, 3000), (600, 300), (300, 150), (0, 1), (-9, 1), (10**9, 86400)],
    )
    async def test_when_the_timer_goes_off(
        self, driver: Any, clock: Any, refresher_class: Any, left: int, interval: float
    ) -> None:
        credential = self.make(driver, clock, refresher_class(clock), left)

        await driver.enter(credential)

        assert credential._timer.interval == interval

    async def test_it_refreshes_when_nobody_asks(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        refresher = refresher_class(clock)
        credential = await driver.enter(self.make(driver, clock, refresher))

        for calls in (1, 2, 3):
            clock.now += 3000
            await driver.go_off(credential)
            assert refresher.calls == calls
            assert driver.timer(credential).interval == 3000
            assert (await driver.get(credential)).token == f"token-{calls}"
        assert refresher.calls == 3

    async def test_it_begins_without_a_token(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        credential = driver.make(None, refresher_class(clock), proactive_refresh=True, clock=clock)
        await driver.enter(credential)

        assert credential._timer.interval == 1
        await driver.go_off(credential)
        assert (await driver.get(credential)).token == "token-1"

    async def test_who_asks_before_a_late_timer_refreshes(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        refresher = refresher_class(clock)
        credential = await driver.enter(self.make(driver, clock, refresher))
        superseded = driver.timer(credential)
        clock.now += 3300

        assert (await driver.get(credential)).token == "token-1"
        assert superseded.is_cancelled
        assert driver.timer(credential).interval == 3000
        superseded.is_cancelled = False
        superseded.go_off()
        assert refresher.calls == 1

    async def test_who_asks_for_a_valid_token_leaves_the_timer_alone(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        credential = await driver.enter(self.make(driver, clock, refresher_class(clock)))
        timer = driver.timer(credential)

        assert (await driver.get(credential)).token == "first"
        assert driver.timer(credential) is timer

    async def test_a_timer_that_is_early_is_set_again(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        refresher = refresher_class(clock)
        credential = await driver.enter(self.make(driver, clock, refresher))
        clock.now += 2990
        await driver.go_off(credential)

        assert refresher.calls == 0
        assert driver.timer(credential).interval == 10

    async def test_of_two_that_are_set_at_once_one_goes_off(
        self, clock: Any, refresher_class: Any, monkeypatch: Any
    ) -> None:
        class Overtaken(FakeTimer):
            """Another thread sets its timer as this one starts."""

            def start(self) -> bool:
                monkeypatch.setattr(user_credential, "Alarm", FakeTimer)
                credential._set_alarm()
                return super().start()

        credential: Any = self.make(SyncDriver(), clock, refresher_class(clock))
        monkeypatch.setattr(user_credential, "Alarm", Overtaken)
        credential._set_alarm()

        assert credential._alarm is not None
        assert not credential._alarm.is_lost()

    async def test_a_failure_does_not_end_it(
        self, driver: Any, clock: Any, refresher_class: Any, caplog: Any
    ) -> None:
        expired = AccessToken("expired", int(clock.now))
        refresher = refresher_class(clock, OSError("no network"), expired, "", 42)
        credential = await driver.enter(self.make(driver, clock, refresher))
        clock.now += 3000

        for failures, interval in enumerate((300, 150, 75, 37.5), start=1):
            await driver.go_off(credential)
            assert refresher.calls == failures
            assert driver.timer(credential).interval == interval
            assert (await driver.get(credential)).token == "first"
            clock.now += interval
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warnings) == 4

        await driver.go_off(credential)
        assert (await driver.get(credential)).token == "token-5"

    async def test_closed_it_serves_nothing(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        refresher = refresher_class(clock)
        credential = await driver.enter(self.make(driver, clock, refresher))
        timer = driver.timer(credential)
        await driver.close(credential)
        await driver.close(credential)

        assert timer.is_cancelled
        assert credential._timer is None
        for call in (driver.get, driver.get_info, driver.enter):
            with pytest.raises(RuntimeError) as caught:
                await call(credential)
            assert str(caught.value) == (
                "An instance of CommunicationTokenCredential cannot be reused once it has been "
                "closed."
            )
        timer.is_cancelled = False
        timer.go_off()
        assert refresher.calls == 0

    async def test_leaving_the_with_statement_closes(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        credential = self.make(driver, clock, refresher_class(clock))
        if driver.is_async:
            async with credential as entered:
                assert entered is credential
        else:
            with credential as entered:
                assert entered is credential

        with pytest.raises(RuntimeError):
            await driver.get(credential)

    async def test_a_closed_credential_sets_no_timer_after_its_refresh(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        credential: Any
        refresher = refresher_class(clock)
        credential = await driver.enter(
            self.make(driver, clock, lambda: (driver.close_now(credential), refresher())[1])
        )
        clock.now += 3000
        await driver.go_off(credential)

        assert refresher.calls == 1
        assert driver.timer(credential) is None


@pytest.mark.usefixtures("fake_timers")
class TestFailures:
    @pytest.mark.parametrize("proactive", [True, False])
    async def test_the_exception_of_the_refresher_is_the_cause(
        self, driver: Any, clock: Any, refresher_class: Any, proactive: bool
    ) -> None:
        error = OSError("no network")
        refresher = refresher_class(clock, error)
        credential = driver.make(None, refresher, proactive_refresh=proactive, clock=clock)

        with pytest.raises(ClientAuthenticationError, match="OSError") as caught:
            await driver.get(credential)
        assert caught.value.__cause__ is error
        clock.now += 1
        assert (await driver.get(credential)).token == "token-2"

    @pytest.mark.parametrize("left", [-600, 0])
    async def test_an_expired_token_is_a_value_error(
        self, driver: Any, clock: Any, refresher_class: Any, left: int
    ) -> None:
        refresher = refresher_class(clock, AccessToken("secret", int(clock.now + left)))
        credential = driver.make(AccessToken("first", 1), refresher, clock=clock)

        with pytest.raises(ValueError, match="expired") as caught:
            await driver.get(credential)
        assert "secret" not in str(caught.value)
        assert refresher.calls == 1

    @pytest.mark.parametrize(
        ("returned", "kind"), [("sec ret", ValueError), (None, TypeError), (42, TypeError)]
    )
    async def test_so_is_what_is_no_token(
        self, driver: Any, clock: Any, refresher_class: Any, returned: Any, kind: type[Exception]
    ) -> None:
        credential = driver.make(None, refresher_class(clock, returned), clock=clock)

        with pytest.raises(kind) as caught:
            await driver.get(credential)
        assert "secret" not in str(caught.value)

    async def test_the_pause_lasts_as_long_as_the_log_says(
        self, driver: Any, refresher_class: Any, monkeypatch: Any
    ) -> None:
        # The clock of the process, at the end of a whole second.
        now = START + 0.99
        monkeypatch.setattr(time, "time", lambda: now)
        refresher = refresher_class(time.time, OSError())
        credential = driver.make(None, refresher)

        for elapsed in (0, 0.02, 0.97):
            now += elapsed
            with pytest.raises(ClientAuthenticationError):
                await driver.get(credential)
        assert refresher.calls == 1
        now += 0.02
        assert (await driver.get(credential)).token == "token-2"

    async def test_the_traceback_is_not_repeated_with_another_request_id(
        self, driver: Any, clock: Any, refresher_class: Any, caplog: Any
    ) -> None:
        errors = [OSError(f"rejected\nrequest {number}") for number in range(3)]
        errors += [OSError(f"rejected, request {number}") for number in range(3)]
        credential = driver.make(None, refresher_class(clock, *errors, ValueError()), clock=clock)

        for _ in range(7):
            with pytest.raises(ClientAuthenticationError):
                await driver.get(credential)
            clock.now += 60
        assert len(caplog.messages) == 7
        assert caplog.text.count("Traceback") == 2
        assert "request 2" in caplog.messages[5]

    @pytest.mark.parametrize(
        ("outcome", "kind"),
        [(OSError("no network"), ClientAuthenticationError), (AccessToken("token", 1), ValueError)],
    )
    async def test_a_failure_is_served_to_all_who_ask_until_the_pause_is_over(
        self, driver: Any, clock: Any, refresher_class: Any, caplog: Any, outcome: Any, kind: Any
    ) -> None:
        refresher = refresher_class(clock, *[outcome] * 8)
        credential = driver.make(None, refresher, clock=clock)

        for calls, pause in enumerate((1, 2, 4, 8, 16, 32, 60, 60), start=1):
            raised = []
            for elapsed in (0, 0, pause / 2, pause / 2 - 0.001):
                clock.now += elapsed
                with pytest.raises(kind) as caught:
                    await driver.get(credential)
                raised.append(caught.value)
            assert refresher.calls == calls
            assert len(set(map(id, raised))) == 4
            assert len({len(caught.traceback)}) == 1
            assert f"the next refresh is due in {pause} seconds" in caplog.messages[-1]
            assert len(caplog.messages) == calls
            clock.now += 0.001
        assert caplog.text.count("Traceback") == (1 if kind is ClientAuthenticationError else 0)
        assert (await driver.get(credential)).token == "token-9"

    async def test_a_valid_token_is_served_and_the_refresher_left_in_peace(
        self, driver: Any, clock: Any, refresher_class: Any
    ) -> None:
        refresher = refresher_class(clock, OSError(), OSError())
        credential = driver.make(AccessToken("first", int(clock.now + 100)), refresher, clock=clock)

        for _ in range(50):
            assert (await driver.get(credential)).token == "first"
            clock.now += 1
        assert refresher.calls == 1
        for _ in range(25):
            assert (await driver.get(credential)).token == "first"
            clock.now += 1
        assert refresher.calls == 2
        assert (await driver.get(credential)).token == "token-3"


class TestOfficialNames:
    """Attributes that tests for the official package read and replace."""

    def patch_time(self, monkeypatch: Any, driver: Any, now: float) -> None:
        monkeypatch.setattr(driver.module, "get_current_utc_as_int", lambda: now)

    @pytest.fixture
    def returning(self, driver: Any) -> Callable[..., MagicMock]:
        return lambda *tokens: MagicMock(side_effect=tokens)

    async def test_the_interval_of_the_timer(
        self, driver: Any, jwt: Any, clock: Any, monkeypatch: Any, returning: Any
    ) -> None:
        self.patch_time(monkeypatch, driver, clock.now)
        token = jwt(clock.now + 300)
        refresher = returning(token, token)
        credential = driver.make(token, refresher, proactive_refresh=True)
        if driver.is_async:
            assert credential._timer.interval == 150

        self.patch_time(monkeypatch, driver, clock.now + 150)
        await driver.get(credential)

        assert refresher.call_count == 1
        assert credential._timer.interval == 75
        await driver.close(credential)
        assert credential._timer is None

    async def test_no_timer_is_seen_before_the_first_refresh(
        self, driver: Any, jwt: Any, clock: Any, monkeypatch: Any, returning: Any
    ) -> None:
        self.patch_time(monkeypatch, driver, clock.now)
        refresher = returning()
        credential = driver.make(jwt(clock.now + 3300), refresher, proactive_refresh=True)
        await driver.get(credential)

        assert refresher.call_count == 0
        assert (credential._timer is not None) is driver.is_async
        await driver.enter(credential)
        assert credential._timer.interval == 2700


class TestReentry:
    async def test_is_told(self, driver: Any, clock: Any) -> None:
        credential: Any
        credential = driver.make(None, lambda: driver.get_within(credential), clock=clock)

        with pytest.raises(ClientAuthenticationError) as caught:
            await driver.get(credential)
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert "would wait for itself" in str(caught.value.__cause__)

    async def test_through_another_credential_is_told(self, driver: Any, clock: Any) -> None:
        other: Any
        credential = driver.make(None, lambda: driver.get_within(other), clock=clock)
        other = driver.make(None, lambda: driver.get_within(credential), clock=clock)

        with pytest.raises(ClientAuthenticationError) as caught:
            await driver.get(credential)
        innermost = caught.value.__cause__
        assert innermost is not None
        assert "would wait for itself" in str(innermost.__cause__)

    async def test_gets_a_token_that_is_valid(self, driver: Any, clock: Any) -> None:
        first = AccessToken("first", int(clock.now + 100))

        async def refreshed() -> AccessToken:
            return AccessToken(f"after-{(await driver.get(credential)).token}", 2**31)

        credential = driver.make(first, lambda: driver.result_within(refreshed()), clock=clock)

        assert (await driver.get(credential)).token == "after-first"

    async def test_from_an_earlier_refresh_is_none(self, driver: Any, clock: Any) -> None:
        contexts: list[Context] = []

        def refresher() -> Any:
            contexts.append(copy_context())
            return AccessToken("token", int(clock.now + 3600))

        credential = driver.make(None, refresher, clock=clock)
        await driver.get(credential)
        clock.now += 3600

        assert (await driver.get_in(contexts[0], credential)).token == "token"
        assert len(contexts) == 2

    async def test_is_not_kept_alive_by_a_context(self, driver: Any, clock: Any) -> None:
        contexts: list[Context] = []
        refreshes: list[Any] = []

        def refresher() -> Any:
            contexts.append(copy_context())
            refreshes.append(weakref.ref(credential._refresh))
            return AccessToken("token", int(clock.now + 3600))

        credential = driver.make(None, refresher, clock=clock)
        for _ in range(3):
            await driver.get(credential)
            clock.now += 3600
        gc.collect()
        assert [refresh() for refresh in refreshes[:2]] == [None, None]


async def returned(function: Callable[[], Any]) -> Any:
    """An async refresher that forgets to await."""
    return function()


class TestMismatch:
    """Of sync and async arguments."""

    async def test_of_a_refresher_is_told_by_name(self, driver: Any, clock: Any) -> None:
        def sync_refresher() -> AccessToken:
            return AccessToken("secret", int(clock.now + 3600))

        async def async_refresher() -> AccessToken:
            return sync_refresher()

        class AsyncRefresher:
            async def __call__(self) -> AccessToken:
                return sync_refresher()

        others: list[Any] = [sync_refresher]
        if not driver.is_async:
            others = [
                async_refresher,
                partial(async_refresher),
                AsyncRefresher(),
                lambda: async_refresher(),
                lambda: asyncio.ensure_future(async_refresher()),
            ]
        for other in others:
            with pytest.raises(TypeError, match="token_refresher") as caught:
                await driver.get(driver.make_as_it_is(token_refresher=other, clock=clock))
            right = "azure.communication.identity" + ("" if driver.is_async else ".aio")
            says = f"use CommunicationTokenCredential of {right} for"
            assert says.lower() in str(caught.value).lower()
            assert "secret" not in str(caught.value)

    async def test_of_a_token_that_was_not_awaited_is_told(self, driver: Any) -> None:
        async def get_token() -> str:
            return "secret"

        with pytest.raises(TypeError, match="a token, not a coroutine: await it"):
            driver.make(get_token())
        if driver.is_async:
            credential = driver.make_as_it_is(token_refresher=partial(returned, get_token))
            with pytest.raises(TypeError, match="a token, not a coroutine: await it"):
                await driver.get(credential)

    def test_of_a_function_is_told_at_construction(self, jwt: Any) -> None:
        async def refresher() -> str:
            return ""

        with pytest.raises(TypeError, match="token_refresher is async"):
            SyncDriver().make_as_it_is(jwt(1), token_refresher=refresher)
