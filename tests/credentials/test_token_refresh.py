import logging
import weakref
from contextvars import copy_context
from math import inf
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from hypothesis import given
from hypothesis import strategies as st

from azure.communication.identity._shared.token_refresh import (
    Refresh,
    RefreshFailure,
    TokenKeeper,
    always,
    half_life,
    never,
    on_demand,
    proactive,
)

NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("schedule", "left", "due_in"),
    [
        (proactive, 3600, 3000),
        (proactive, 601, 1),
        (proactive, 600, 300),
        (proactive, 300, 150),
        (on_demand, 3600, pytest.approx(3480)),
        (on_demand, 120, 60),
        (on_demand, 90, 45),
        (never, 3600, inf),
        (half_life, 600, 300),
        (always, 3600, -inf),
    ],
)
def test_a_token_is_due(schedule: Any, left: float, due_in: float) -> None:
    assert schedule(NOW + left, NOW) - NOW == due_in


@pytest.mark.parametrize(
    ("left", "is_fresh"), [(3600, True), (121, True), (120, True), (119.9, False), (60, False)]
)
def test_the_first_token_is_fresh_while_two_minutes_are_left(left: float, is_fresh: bool) -> None:
    token = AccessToken("secret", NOW + 3600)

    keeper = TokenKeeper(token, on_demand, lambda: token.expires_on - left)

    assert keeper.current() == (token if is_fresh else None)


def test_a_caller_refreshes_a_first_token_near_its_end_before_the_timer_does() -> None:
    token = AccessToken("secret", NOW + 300)
    keeper = TokenKeeper(token, proactive, lambda: NOW)

    assert keeper.current() is None
    assert keeper.valid() == token
    assert keeper.delay() == 150


class TestFailing:
    def keeper(self, clock: Any, left: float, schedule: Any = proactive) -> TokenKeeper:
        return TokenKeeper(AccessToken("secret", int(clock.now + left)), schedule, clock)

    def test_the_next_try_comes_sooner_as_expiry_nears(self, clock: Any) -> None:
        keeper = self.keeper(clock, 64)
        delays = []
        while keeper.valid():
            clock.now += keeper.delay()
            keeper.failed(OSError())
            delays.append(keeper.delay())

        assert delays[:6] == [16, 8, 4, 2, 1, 1]

    def test_without_a_token_it_comes_later_and_later(self, clock: Any) -> None:
        keeper = TokenKeeper(None, proactive, clock)
        delays = []
        for _ in range(9):
            assert keeper.current() is None
            failure = keeper.failed(OSError())
            delays.append(keeper.delay())
            assert keeper.current() is failure
            clock.now += delays[-1] - 0.001
            assert keeper.current() is failure
            clock.now += 0.001

        assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]

    def test_a_clock_that_is_put_back_ends_the_pause(self, clock: Any) -> None:
        keeper = TokenKeeper(None, on_demand, clock)
        keeper.failed(OSError())
        clock.now -= 3600

        assert keeper.current() is None

    def test_a_success_ends_that(self, clock: Any) -> None:
        keeper = TokenKeeper(None, proactive, clock)
        keeper.failed(OSError())
        keeper.failed(OSError())
        keeper.take(AccessToken("secret", int(clock.now + 1)))
        clock.now += 1
        keeper.failed(OSError())

        assert keeper.delay() == 1

    def test_the_token_is_fresh_until_the_next_try(self, clock: Any) -> None:
        keeper = self.keeper(clock, 100, on_demand)
        keeper.failed(OSError())

        clock.now += 49
        assert keeper.current() == keeper.valid()
        clock.now += 1
        assert keeper.current() is None
        assert keeper.valid() is not None

    def test_a_token_that_expires_in_a_pause_is_not_served(self, clock: Any) -> None:
        keeper = self.keeper(clock, 1)
        clock.now += 0.5
        failure = keeper.failed(OSError())
        clock.now += 0.5

        assert keeper.current() is failure
        assert keeper.valid() is None

    @pytest.mark.parametrize(
        ("returned", "kind", "reason"),
        [
            (AccessToken("secret", NOW - 600), ValueError, "expired 600 seconds ago"),
            (AccessToken("secret", NOW), ValueError, "expired 0 seconds ago"),
            ("secret.secret.secret", ValueError, "damaged JWT"),
            (42, TypeError, "not int"),
        ],
    )
    def test_what_is_returned_may_be_of_no_use(
        self, clock: Any, returned: Any, kind: type[Exception], reason: str
    ) -> None:
        keeper = self.keeper(clock, 0)

        outcome = keeper.take(returned)

        with pytest.raises(kind, match=reason) as caught:
            keeper.served(outcome)
        assert "secret" not in str(caught.value)

    def test_what_was_raised_is_the_cause(self, clock: Any) -> None:
        keeper = self.keeper(clock, 0)
        error = OSError("no network")

        outcome = keeper.failed(error)

        with pytest.raises(ClientAuthenticationError, match="OSError") as caught:
            keeper.served(outcome)
        assert caught.value.__cause__ is error

    def test_each_caller_gets_an_exception_of_its_own(self, clock: Any) -> None:
        outcome = self.keeper(clock, 0).failed(OSError())

        assert isinstance(outcome, RefreshFailure)
        assert outcome.exception() is not outcome.exception()

    def test_a_valid_token_is_served_nonetheless(self, clock: Any) -> None:
        keeper = self.keeper(clock, 1)

        assert keeper.served(keeper.failed(OSError())).token == "secret"

    @pytest.mark.parametrize(
        ("left", "served", "delay"),
        [(300, "valid for 300 seconds more", "150"), (-1, "no valid token", "1")],
    )
    def test_it_is_logged(
        self, clock: Any, caplog: Any, left: float, served: str, delay: str
    ) -> None:
        keeper = self.keeper(clock, left)

        with caplog.at_level(logging.WARNING):
            keeper.failed(OSError("no network"))

        assert served in caplog.text
        assert f"due in {delay} seconds" in caplog.text
        assert "failed with OSError (no network)." in caplog.messages[0]
        assert "OSError: no network" in caplog.text  # the traceback
        assert "secret" not in caplog.text

    def test_the_log_says_how_long_the_token_is_valid_and_when_the_next_refresh_is_due(
        self, clock: Any, caplog: Any
    ) -> None:
        keeper = self.keeper(clock, 64)
        clock.now += 60.86
        keeper.failed(OSError())
        clock.now += 2.64
        keeper.failed(OSError())

        assert "valid for 3 seconds more; the next refresh is due in 1.6 seconds" in caplog.text
        assert "valid for 0 seconds more; the next refresh is due in 1 seconds" in caplog.text
        assert keeper.delay() == 1

    def test_its_traceback_is_logged_once(self, clock: Any, caplog: Any) -> None:
        keeper = self.keeper(clock, 0)
        errors = [OSError("no network\nsecond line"), OSError("no network"), KeyError("name")]
        for error in errors:
            keeper.failed(error)
        keeper.take(AccessToken("secret", int(clock.now + 3600)))
        keeper.failed(KeyError("name"))

        with_traceback = [bool(record.exc_info) for record in caplog.records]
        assert with_traceback == [True, False, True, True]
        assert all("\n" not in message for message in caplog.messages)


@given(
    lifetimes=st.lists(st.integers(-10, 100_000) | st.none(), max_size=20),
    steps=st.lists(st.floats(0, 50_000), min_size=20, max_size=20),
    schedule=st.sampled_from([on_demand, proactive]),
)
def test_whatever_happens_nothing_expired_is_served(
    lifetimes: list[int | None], steps: list[float], schedule: Any
) -> None:
    now = float(NOW)
    keeper = TokenKeeper(AccessToken("first", NOW + 100), schedule, lambda: now)
    for lifetime, step in zip(lifetimes, steps, strict=False):
        if lifetime is None:
            keeper.failed(OSError())
        else:
            keeper.take(AccessToken("next", int(now) + lifetime))
        now += step

        current, valid = keeper.current(), keeper.valid()

        assert valid is None or valid.expires_on > now
        if isinstance(current, RefreshFailure):
            assert valid is None
        else:
            assert current is None or current == valid
        assert 1 <= keeper.delay() <= 86400


def test_a_context_forgets_refreshes_that_are_over() -> None:
    def refresh() -> "weakref.ref[Refresh]":
        entered = Refresh()
        entered.enter()
        assert entered.is_entered()
        entered.is_over = True
        return weakref.ref(entered)

    def refresh_twice() -> None:
        first = refresh()
        refresh()
        assert first() is None

    copy_context().run(refresh_twice)
