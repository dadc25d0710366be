import logging
from math import inf, nan
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError
from hypothesis import given
from hypothesis import strategies as st

from azure.communication.identity._shared.token_refresh import (
    RefreshFailure,
    TokenKeeper,
    always,
    never,
    on_demand,
    proactive,
    read_token,
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

    assert keeper.fresh() == (token if is_fresh else None)


def test_who_asks_for_a_first_token_near_its_end_does_not_wait_for_the_timer() -> None:
    token = AccessToken("secret", NOW + 300)
    keeper = TokenKeeper(token, proactive, lambda: NOW)

    assert keeper.fresh() is None
    assert keeper.valid() == token
    assert keeper.delay() == 150


class TestReading:
    @pytest.mark.parametrize(
        "token",
        [
            AccessToken("opaque", NOW),
            AccessTokenInfo("opaque", NOW),
            AccessToken("opaque", NOW + 0.5),  # type: ignore[arg-type]
        ],
    )
    def test_a_token_with_its_expiry_need_not_be_a_jwt(self, token: Any) -> None:
        read = read_token(token)

        assert read == AccessToken("opaque", NOW)
        assert type(read.expires_on) is int

    @pytest.mark.parametrize("padded", [True, False])
    @pytest.mark.parametrize("name", ["a", "ab", "abc", "Zoë 🐘 ÿþ?>"])
    def test_any_jwt_will_do(self, jwt: Any, padded: bool, name: str) -> None:
        token = jwt(NOW, padded=padded, name=name)

        assert read_token(token) == AccessToken(token, NOW)

    def test_base64url_is_what_a_jwt_is_in(self, jwt: Any) -> None:
        payload = jwt(NOW, name="ÿþ?>ÿþ?>ÿþ?>").split(".")[1]

        assert "-" in payload or "_" in payload

    def test_a_str_that_is_no_jwt_needs_an_expiry(self) -> None:
        with pytest.raises(ValueError, match="AccessToken, with its expires_on") as caught:
            read_token("secret")

        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__

    @pytest.mark.parametrize("value", [454, b"secret", ["secret"], None])
    def test_what_is_no_token_is_a_type_error(self, value: object) -> None:
        with pytest.raises(TypeError, match=type(value).__name__) as caught:
            read_token(value)

        assert "secret" not in str(caught.value)

    def test_a_coroutine_is_not_left_unawaited(self) -> None:
        async def refresher() -> None: ...

        with pytest.raises(TypeError, match=r"coroutine\..* azure\.communication\.identity\.aio"):
            read_token(refresher())

    @pytest.mark.parametrize("expires_on", [None, "2024-03-01T12:30:05+00:00"])
    def test_an_expiry_is_a_number(self, expires_on: Any) -> None:
        with pytest.raises(TypeError, match=r"expires_on .* Unix seconds"):
            read_token(AccessToken("secret", expires_on))

    @pytest.mark.parametrize("expires_on", [inf, -inf, nan, 10**400])
    def test_an_expiry_is_a_time(self, expires_on: Any) -> None:
        with pytest.raises(ValueError, match="not a time"):
            read_token(AccessToken("secret", expires_on))

    def test_an_empty_token_is_none(self) -> None:
        with pytest.raises(ValueError, match="empty"):
            read_token(AccessToken("", NOW))


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
            keeper.failed(OSError())
            delays.append(keeper.delay())
            assert keeper.fresh() is None

        assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]

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
        assert keeper.fresh() is not None
        clock.now += 1
        assert keeper.fresh() is None
        assert keeper.valid() is not None

    def test_an_expired_token_is_not_fresh_because_the_next_try_is_later(self, clock: Any) -> None:
        keeper = self.keeper(clock, 1)
        clock.now += 0.5
        keeper.failed(OSError())
        clock.now += 0.5

        assert keeper.fresh() is None
        assert keeper.valid() is None

    @pytest.mark.parametrize(
        ("returned", "kind", "reason"),
        [
            (AccessToken("secret", NOW - 600), ValueError, "expired 600 seconds ago"),
            (AccessToken("secret", NOW), ValueError, "expired 0 seconds ago"),
            ("secret", ValueError, "not a JWT"),
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

    def test_each_who_waited_has_an_exception_of_its_own(self, clock: Any) -> None:
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
        assert "OSError: no network" in caplog.text
        assert "secret" not in caplog.text


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

        fresh, valid = keeper.fresh(), keeper.valid()

        assert fresh is None or fresh.expires_on > now
        assert valid is None or valid.expires_on > now
        assert fresh is None or fresh == valid
        assert 1 <= keeper.delay() <= 86400
