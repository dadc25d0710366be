"""Which values both credentials accept as tokens, and their errors for others."""

import json
import logging
import os
from base64 import urlsafe_b64encode
from datetime import timedelta
from math import inf, nan
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError
from credentials.support import START, in_child_process, make_jwt

from azure.communication.identity._shared import token_refresh

ENCRYPTED = "eyJhbGciOiJSU0EtT0FFUCJ9.a2V5.aXY.Y2lwaGVydGV4dA.dGFn"
OPAQUE = {
    "an encrypted JWT": ENCRYPTED,
    "one word": "not-a-jwt",
    "no exp": make_jwt(None),
    "an exp that is not a number": make_jwt("soon"),
    "an exp that is not a time": make_jwt(inf),
    "a payload that is not JSON": "eyJhbGciOiJub25lIn0.b3BhcXVl.c2lnbmF0dXJl",
    "a payload that is not base64": "eyJhbGciOiJub25lIn0.*.c2lnbmF0dXJl",
}
JWT = make_jwt(START + 3600)
MALFORMED = {
    "": "is empty",
    " \n": "is empty",
    f"Bearer {JWT}": "begins with 'Bearer'",
    f"bearer {JWT}": "begins with 'Bearer'",
    f" Bearer {ENCRYPTED}": "begins with 'Bearer'",
    f'"{JWT}"': "contains quotes",
    f"'{ENCRYPTED}'": "contains quotes",
    f"{JWT}\n": "contains a newline",
    f"{ENCRYPTED}\r\n": "contains a newline",
    f" {JWT}": "contains white space",
    "se cret": "contains white space",
    "s\necret": "contains a newline",
    f"{JWT[:30]}\n{JWT[30:]}": "contains a newline",
    f"{JWT[:30]} {JWT[30:]}": "contains white space",
    "secr\u00e9t": "not printable ASCII",
    "secret\x00": "not printable ASCII",
    "\ufeffsecret": "not printable ASCII",
}
MILLISECONDS = START * 1000


@pytest.fixture(autouse=True)
def nothing_was_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_refresh, "_warned_in_process", None)


@pytest.fixture(params=["caller", "refresher"])
def serve(request: pytest.FixtureRequest, driver: Any, clock: Any, refresher_class: Any) -> Any:
    """Serves a value that comes from the caller, or from the refresher."""

    async def serve(value: object, **kwargs: Any) -> Any:
        if request.param == "caller":
            credential = driver.make(value, refresher_class(clock), clock=clock, **kwargs)
        else:
            credential = driver.make(None, refresher_class(clock, value), clock=clock, **kwargs)
        return await driver.get(credential)

    return serve


class TestExpiry:
    @pytest.mark.parametrize(
        "token",
        [
            AccessToken("opaque", START + 3600),
            AccessTokenInfo("opaque", START + 3600),
            AccessToken("opaque", START + 3600.5),  # type: ignore[arg-type]
        ],
    )
    async def test_of_an_access_token_is_taken_as_it_is(self, serve: Any, token: Any) -> None:
        served = await serve(token)

        assert served == AccessToken("opaque", START + 3600)
        assert type(served.expires_on) is int

    async def test_of_an_access_token_wins_over_that_of_the_jwt(self, serve: Any) -> None:
        assert (await serve(AccessToken(JWT, START + 1800))).expires_on == START + 1800

    @pytest.mark.parametrize("padded", [True, False])
    @pytest.mark.parametrize("name", ["a", "ab", "abc", "Zoë 🐘 ÿþ?>"])
    async def test_of_any_jwt_is_read(self, serve: Any, padded: bool, name: str) -> None:
        token = make_jwt(START + 3600, padded=padded, name=name)

        assert await serve(token) == AccessToken(token, START + 3600)

    def test_the_payload_of_a_jwt_is_base64url(self) -> None:
        payload = make_jwt(START, name="ÿþ?>ÿþ?>ÿþ?>").split(".")[1]

        assert "-" in payload or "_" in payload

    @pytest.mark.parametrize("expires_on", [None, "2024-03-01T12:30:05+00:00"])
    async def test_is_a_number(self, serve: Any, expires_on: Any) -> None:
        with pytest.raises(TypeError, match=r"expires_on .* Unix seconds"):
            await serve(AccessToken("secret", expires_on))

    @pytest.mark.parametrize("expires_on", [-inf, nan])
    async def test_is_a_time(self, serve: Any, expires_on: Any) -> None:
        with pytest.raises(ValueError, match="not a time"):
            await serve(AccessToken("secret", expires_on))

    @pytest.mark.parametrize(
        "value",
        [
            make_jwt(MILLISECONDS),
            make_jwt(1e300),
            *[
                AccessToken("secret", expires_on)  # type: ignore[arg-type] # inf is a float
                for expires_on in (MILLISECONDS, 253_402_300_800, inf, 10**400)
            ],
        ],
        ids=lambda value: str(value)[-20:],
    )
    async def test_in_milliseconds_is_an_error_that_says_so(self, serve: Any, value: Any) -> None:
        with pytest.raises(ValueError, match=r"after the year 9999: .* milliseconds") as caught:
            await serve(value)
        assert "secret" not in str(caught.value)

    async def test_in_the_year_9999_is_not(self, serve: Any) -> None:
        assert (await serve(AccessToken("token", 253_402_300_799))).expires_on == 253_402_300_799

    def test_may_be_long_ago(self, driver: Any) -> None:
        driver.make(AccessToken("token", -253_402_300_799))


class TestText:
    @pytest.mark.parametrize(("token", "cause"), MALFORMED.items(), ids=repr)
    @pytest.mark.parametrize("wrap", [str, lambda text: AccessToken(text, START + 3600)])
    async def test_that_is_clearly_not_a_token_is_an_error_with_its_cause(
        self, serve: Any, token: str, cause: str, wrap: Any
    ) -> None:
        with pytest.raises(ValueError, match=cause) as caught:
            await serve(wrap(token))
        message = str(caught.value)
        assert not any(word in message for word in token.replace("'", " ").split() if len(word) > 6)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None or caught.value.__suppress_context__

    @pytest.mark.parametrize("token", ["foo.bar.tar", "..", "secret.secret.secret"])
    async def test_of_a_damaged_jwt_is_an_error(self, serve: Any, token: str) -> None:
        with pytest.raises(ValueError, match="damaged JWT") as caught:
            await serve(token)
        assert token not in str(caught.value)

    async def test_of_a_jwt_may_be_indented_as_in_tests_of_the_official_package(
        self, serve: Any
    ) -> None:
        head, payload, signature = JWT.split(".")
        indented = f"{head}.\n        {payload}.{signature}"

        assert (await serve(indented)).token == indented
        assert (await serve(indented)).expires_on == START + 3600

    async def test_of_an_access_token_is_a_str(self, serve: Any) -> None:
        with pytest.raises(TypeError, match=r"token of an AccessToken must be a str, not bytes\."):
            await serve(AccessToken(b"secret", START + 3600))  # type: ignore[arg-type]

    @pytest.mark.parametrize("value", [454, b"secret", ["secret"], {}], ids=repr)
    async def test_is_a_str(self, serve: Any, value: object) -> None:
        with pytest.raises(
            TypeError, match=rf"The token must be .* not {type(value).__name__}\."
        ) as caught:
            await serve(value)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("token", OPAQUE.values(), ids=OPAQUE.keys())
class TestOpaqueToken:
    async def test_is_assumed_to_live_for_ten_minutes(self, serve: Any, token: str) -> None:
        assert await serve(token) == AccessToken(token, START + 600)

    async def test_lives_as_long_as_the_caller_says(self, serve: Any, token: str) -> None:
        served = await serve(token, opaque_token_lifetime=timedelta(minutes=30))

        assert served == AccessToken(token, START + 1800)

    @pytest.mark.parametrize("is_first", [True, False])
    async def test_is_refreshed_at_half_of_it(
        self, driver: Any, clock: Any, refresher_class: Any, token: str, is_first: bool
    ) -> None:
        refresher = refresher_class(clock, *[token] * 3)
        credential = driver.make(token if is_first else None, refresher, clock=clock)
        await driver.get(credential)
        calls = refresher.calls

        clock.now += 299
        await driver.get(credential)
        assert refresher.calls == calls
        clock.now += 1
        assert (await driver.get(credential)).expires_on == clock.now + 600
        assert refresher.calls == calls + 1

    @pytest.mark.usefixtures("fake_timers")
    async def test_is_refreshed_ahead_of_need_at_half_of_it(
        self, driver: Any, clock: Any, refresher_class: Any, token: str
    ) -> None:
        credential = driver.make(
            token, refresher_class(clock, token), proactive_refresh=True, clock=clock
        )
        await driver.enter(credential)

        assert credential._timer.interval == 300
        clock.now += 300
        await driver.go_off(credential)
        assert (await driver.get(credential)).expires_on == clock.now + 600
        assert credential._timer.interval == 300

    async def test_is_always_served_without_a_refresher(
        self, driver: Any, clock: Any, token: str
    ) -> None:
        credential = driver.make(token, clock=clock)
        clock.now += 10_000

        assert (await driver.get(credential)).token == token

    async def test_is_not_served_after_it_when_the_refresh_fails(
        self, driver: Any, clock: Any, refresher_class: Any, token: str
    ) -> None:
        credential = driver.make(token, refresher_class(clock, OSError()), clock=clock)
        clock.now += 600

        with pytest.raises(ClientAuthenticationError):
            await driver.get(credential)

    @pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
    async def test_is_a_warning_once_in_a_process(
        self, driver: Any, token: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            driver.make(token, opaque_token_lifetime=timedelta(minutes=20))

        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "valid for 1200 seconds" in caplog.text
        assert "AccessToken" in caplog.text
        assert token not in caplog.text
        if hasattr(os, "fork"):
            caplog.clear()
            assert in_child_process(
                lambda: (driver.make(token), driver.make(token), len(caplog.records))[-1] == 1
            )


async def test_a_token_with_its_expiry_is_no_reason_to_warn(
    driver: Any, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    driver.make(AccessToken(ENCRYPTED, START + 3600), clock=clock)

    assert not caplog.records


@pytest.mark.parametrize(
    ("lifetime", "kind"),
    [
        (600, TypeError),
        (None, TypeError),
        (timedelta(0), ValueError),
        (timedelta(seconds=-1), ValueError),
        (timedelta(seconds=1) - timedelta.resolution, ValueError),
        (timedelta(days=1) + timedelta.resolution, ValueError),
    ],
)
def test_the_lifetime_of_opaque_tokens_is_checked(
    driver: Any, jwt: Any, lifetime: Any, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match="opaque_token_lifetime must be"):
        driver.make(jwt(1), opaque_token_lifetime=lifetime)


@pytest.mark.parametrize("lifetime", [timedelta(seconds=1), timedelta(days=1)])
def test_the_shortest_and_the_longest_lifetime_of_opaque_tokens(
    driver: Any, jwt: Any, lifetime: timedelta
) -> None:
    driver.make(jwt(1), opaque_token_lifetime=lifetime)


@pytest.mark.parametrize("size", range(12))
def test_the_header_of_an_opaque_token_may_have_any_length(driver: Any, size: int) -> None:
    header = urlsafe_b64encode(json.dumps({"alg": "x" * size}).encode()).decode()
    driver.make(f"{header.rstrip('=')}.e30.c2ln")
