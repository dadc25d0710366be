"""Credentials that exchange Entra tokens, against the emulator over TLS."""

import asyncio
import logging
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any, NamedTuple

import jwt
import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from credentials.support import AsyncDriver

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity._pipeline.entra_exchange import ExchangeRules
from azure.communication.identity._transports._aiohttp import AiohttpTransport
from azure.communication.identity._transports._urllib3 import Urllib3Transport

APP = "11111111-2222-3333-4444-555555555555"
USER = "66666666-7777-8888-9999-000000000000"
OTHER_USER = "66666666-7777-8888-9999-000000000001"

TEAMS = ["https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls"]
CLIENTS_DEFAULT = "https://communication.azure.com/clients/.default"
CLIENTS = ["https://communication.azure.com/clients/VoIP"]


class Entra:
    """The Entra credential of a user."""

    def __init__(self, emulator: IdentityEmulator) -> None:
        self.requested: list[tuple[str, ...]] = []
        self.token: str | None = None
        self.failure: Exception | None = None
        self._emulator = emulator
        self._user = USER

    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        self.requested.append(scopes)
        if self.failure:
            raise self.failure
        if self.token is None:
            self.token = self._emulator.issue_entra_token(
                user_object_id=self._user, client_id=APP, scopes=scopes
            )
        return AccessToken(self.token, 2**31)

    def sign_in(self, user: str) -> None:
        self._user, self.token = user, None


class AsyncEntra(Entra):
    async def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return super().get_token(*scopes, **kwargs)


class InfoOnly:
    """A credential of the newer protocol."""

    def __init__(self, entra: Entra) -> None:
        self._entra = entra

    def get_token_info(self, *scopes: str) -> AccessTokenInfo:
        return AccessTokenInfo(*self._entra.get_token(*scopes))


class AsyncInfoOnly(InfoOnly):
    async def get_token_info(self, *scopes: str) -> AccessTokenInfo:  # type: ignore[override]
        return AccessTokenInfo(*await self._entra.get_token(*scopes))


class Sent(NamedTuple):
    url: str
    authorization: str
    body: Any


class Exchange:
    """Makes credentials for an emulator, and keeps what they send to it."""

    def __init__(self, driver: Any, emulator: IdentityEmulator) -> None:
        self.emulator = emulator
        self.entra: Entra = AsyncEntra(emulator) if driver.is_async else Entra(emulator)
        self.sent: list[Sent] = []
        self._driver = driver

    def make(self, **kwargs: Any) -> Any:
        kwargs.setdefault("resource_endpoint", self.emulator.endpoint)
        kwargs.setdefault("token_credential", self.entra)
        kwargs.setdefault("connection_verify", self.emulator.ca_bundle)
        kwargs.setdefault("retry_backoff_factor", 0)
        return self._driver.make(raw_request_hook=self._keep, **kwargs)

    def _keep(self, request: PipelineRequest[Any]) -> None:
        http_request = request.http_request
        self.sent.append(
            Sent(http_request.url, http_request.headers.get("Authorization"), http_request.content)
        )


@pytest.fixture(scope="module")
def tls_emulator() -> Iterator[IdentityEmulator]:
    with IdentityEmulator(tls=True, open_exchange=True) as emulator:
        yield emulator


@pytest.fixture
def exchange(driver: Any, tls_emulator: IdentityEmulator) -> Exchange:
    tls_emulator.reset()
    return Exchange(driver, tls_emulator)


@pytest.mark.parametrize(
    ("scopes", "path", "api_version"),
    [
        (TEAMS, "teamsExtension", "2025-06-30"),
        (
            ["https://auth.msft.communication.azure.us/TeamsExtension.ManageCalls"],
            "teamsExtension",
            "2025-06-30",
        ),
        (CLIENTS, "entra", "2025-03-02-preview"),
        (None, "entra", "2025-03-02-preview"),
    ],
)
async def test_the_scopes_decide_the_route(
    driver: Any, exchange: Exchange, scopes: Any, path: str, api_version: str
) -> None:
    credential = exchange.make(scopes=scopes)

    token = await driver.get(credential)

    assert exchange.emulator.is_token_valid(token.token)
    assert type(token.expires_on) is int
    assert exchange.entra.requested == [tuple(scopes or [CLIENTS_DEFAULT])]
    endpoint = exchange.emulator.endpoint.rstrip("/")
    assert [request.url for request in exchange.sent] == [
        f"{endpoint}/access/{path}/:exchangeAccessToken?api-version={api_version}"
    ]
    assert exchange.sent[0].body == "{}"


async def test_it_is_exchanged_once_while_the_entra_token_stays(
    driver: Any, exchange: Exchange
) -> None:
    credential = exchange.make(scopes=TEAMS)

    first = await driver.get(credential)
    again = [await driver.get(credential) for _ in range(3)]
    info = await driver.get_info(credential)

    assert {token.token for token in (first, *again, info)} == {first.token}
    assert len(exchange.sent) == 1
    assert len(exchange.entra.requested) == 5


async def test_who_signs_in_has_another_token(driver: Any, exchange: Exchange) -> None:
    credential = exchange.make(scopes=TEAMS)
    first = await driver.get(credential)

    exchange.entra.sign_in(OTHER_USER)
    second = await driver.get(credential)

    assert len(exchange.sent) == 2
    for token, user in ((first, USER), (second, OTHER_USER)):
        claims = jwt.decode(token.token, options={"verify_signature": False})
        assert claims["skypeid"].endswith(user)


async def test_many_at_once_have_one_exchange(driver: Any, exchange: Exchange) -> None:
    tokens = await driver.get_at_once(exchange.make(), 50)

    assert len({token.token for token in tokens}) == 1
    assert len(exchange.sent) == 1


async def test_either_protocol_is_enough(driver: Any, exchange: Exchange) -> None:
    info_only = (AsyncInfoOnly if driver.is_async else InfoOnly)(exchange.entra)

    token = await driver.get(exchange.make(token_credential=info_only))

    assert exchange.emulator.is_token_valid(token.token)


@pytest.mark.parametrize(
    "fault",
    ["status:503", "status:500", "status:429", "html", "reset"],
)
async def test_what_passes_is_tried_again(driver: Any, exchange: Exchange, fault: str) -> None:
    exchange.emulator.inject("exchange-entra", fault, times=2)

    token = await driver.get(exchange.make())

    assert exchange.emulator.is_token_valid(token.token)


@pytest.mark.parametrize(
    ("fault", "kind", "shown"),
    [
        ("status:401", ClientAuthenticationError, "Denied"),
        ("status:403", HttpResponseError, "Forbidden"),
        ("html", HttpResponseError, "Service Unavailable"),
        ("no-fields", DecodeError, "identity.id"),
        ("truncated", DecodeError, "not JSON"),
        ("reset", AzureError, "response"),
    ],
)
async def test_the_answer_is_the_cause(
    driver: Any, exchange: Exchange, clock: Any, fault: str, kind: type[Exception], shown: str
) -> None:
    clock.now = time.time()
    exchange.emulator.inject("exchange-entra", fault)
    credential = exchange.make(retry_total=0, clock=clock)

    with pytest.raises(ClientAuthenticationError, match="failed with") as caught:
        await driver.get(credential)
    cause = caught.value.__cause__
    assert isinstance(cause, kind)
    assert shown in str(cause)
    clock.now += 1
    assert exchange.emulator.is_token_valid((await driver.get(credential)).token)


async def test_an_encrypted_token_expires_when_the_service_says(
    driver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with IdentityEmulator(tls=True, open_exchange=True, encrypted_tokens=True) as emulator:
        exchange = Exchange(driver, emulator)
        credential = exchange.make()

        first, second = await driver.get(credential), await driver.get(credential)

    assert first == second
    assert first.token.count(".") == 4
    assert first.expires_on > time.time() + 600  # which is assumed where nothing better is known
    assert len(exchange.sent) == 1
    assert "cannot be read" not in caplog.text


async def test_an_unknown_authority_is_not_trusted(driver: Any, exchange: Exchange) -> None:
    with pytest.raises(ClientAuthenticationError) as caught:
        await driver.get(exchange.make(connection_verify=True, retry_total=0))
    assert isinstance(caught.value.__cause__, ServiceRequestError)


async def test_a_valid_token_is_served_while_entra_fails(
    driver: Any, exchange: Exchange, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    clock.now = time.time()
    credential = exchange.make(clock=clock)
    first = await driver.get(credential)
    exchange.entra.failure = ClientAuthenticationError("sign in again")

    for _ in range(3):
        assert await driver.get(credential) == first
    assert len(exchange.entra.requested) == 2
    assert "sign in again" in caplog.text

    clock.now = first.expires_on
    with pytest.raises(ClientAuthenticationError) as caught:
        await driver.get(credential)
    assert caught.value.__cause__ is exchange.entra.failure


async def test_nothing_secret_is_logged(
    driver: Any, exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    credential = exchange.make(logging_enable=True)
    token = await driver.get(credential)
    exchange.entra.sign_in(OTHER_USER)
    exchange.emulator.inject("exchange-entra", "status:401")
    await driver.get(credential)

    assert exchange.sent[-1].authorization == f"Bearer {exchange.entra.token}"
    assert ":exchangeAccessToken" in caplog.text
    assert "expiresOn" in caplog.text
    for secret in (token.token, exchange.entra.token):
        assert secret is not None
        assert secret not in caplog.text
        assert secret not in str(credential.__dict__)


async def test_no_connection_is_left_open(
    driver: Any, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport: Any = AiohttpTransport if driver.is_async else Urllib3Transport
    closed: list[Any] = []
    close = transport.close

    def recorded(self: Any) -> Any:
        closed.append(self)
        return close(self)

    monkeypatch.setattr(transport, "close", recorded)

    await driver.get(exchange.make())

    assert len(closed) == 1


async def test_a_transport_of_the_callers_own_stays_open(driver: Any, exchange: Exchange) -> None:
    verify = exchange.emulator.ca_bundle
    transport: Any = (
        AioHttpTransport(connection_verify=verify)
        if driver.is_async
        else RequestsTransport(connection_verify=verify)
    )
    # Without the policies, no one takes the timeout of a call, which the transport would choke on.
    credential = exchange.make(transport=transport, policies=[], connection_verify=True, timeout=60)

    for user in (USER, OTHER_USER):
        exchange.entra.sign_in(user)
        with pytest.raises(ClientAuthenticationError) as caught:
            await driver.get(credential)
        # There are no policies, not even one that authenticates.
        assert isinstance(caught.value.__cause__, ClientAuthenticationError)
        assert "Denied" in str(caught.value.__cause__)
    assert transport.session is not None
    await driver.result_of(transport.close())


def test_it_belongs_to_no_loop(tls_emulator: IdentityEmulator) -> None:
    tls_emulator.reset()
    driver = AsyncDriver()
    exchange = Exchange(driver, tls_emulator)
    credential = exchange.make()

    tokens = []
    for user in (USER, OTHER_USER):
        exchange.entra.sign_in(user)
        tokens.append(asyncio.run(driver.get(credential)))
    assert len({token.token for token in tokens}) == 2
    assert len(exchange.sent) == 2


class TestArguments:
    @pytest.fixture
    def given(self) -> dict[str, Any]:
        return {
            "resource_endpoint": "https://resource.communication.azure.com",
            "token_credential": Entra.__new__(Entra),
            "scopes": TEAMS,
        }

    @pytest.mark.parametrize("missing", ["resource_endpoint", "token_credential"])
    def test_a_missing_part_is_named(
        self, driver: Any, given: dict[str, Any], missing: str
    ) -> None:
        del given[missing]
        with pytest.raises(ValueError, match=f"needs {missing}"):
            driver.make(**given)

    @pytest.mark.parametrize(
        "endpoint",
        ["http://resource.communication.azure.com", "ftp://resource", "https://", "", "a b"],
    )
    def test_the_endpoint_is_an_https_url(
        self, driver: Any, given: dict[str, Any], endpoint: str
    ) -> None:
        with pytest.raises(ValueError, match="endpoint must be"):
            driver.make(**{**given, "resource_endpoint": endpoint})

    @pytest.mark.parametrize(
        "endpoint", ["https://h/;accesskey=c2VjcmV0", f"c2VjcmV0/{'a' * 75}", "http://c2VjcmV0"]
    )
    def test_an_endpoint_with_a_secret_is_rejected_and_not_shown(
        self, driver: Any, given: dict[str, Any], endpoint: str
    ) -> None:
        with pytest.raises(ValueError, match="endpoint must be") as caught:
            driver.make(**{**given, "resource_endpoint": endpoint})
        assert "c2VjcmV0" not in str(caught.value)

    @pytest.mark.parametrize(
        "scopes",
        [
            [],
            [*TEAMS, *CLIENTS],
            [*TEAMS, "https://auth.msft.communication.azure.us/TeamsExtension.ManageCalls"],
            ["https://communication.azure.com//.default"],
            ["chat"],
            [""],
        ],
    )
    def test_the_scopes_are_of_one_kind(
        self, driver: Any, given: dict[str, Any], scopes: Any
    ) -> None:
        with pytest.raises(ValueError, match="scopes must be one or more that all begin with"):
            driver.make(**{**given, "scopes": scopes})

    def test_an_empty_list_of_scopes_is_told_as_such(
        self, driver: Any, given: dict[str, Any]
    ) -> None:
        with pytest.raises(ValueError, match=r"not an empty list\.$"):
            driver.make(**{**given, "scopes": []})

    @pytest.mark.parametrize("scopes", [TEAMS[0], 42, {"a"}, [1], [None]])
    def test_the_scopes_are_a_list_of_str(
        self, driver: Any, given: dict[str, Any], scopes: Any
    ) -> None:
        with pytest.raises(TypeError, match="scopes must be a"):
            driver.make(**{**given, "scopes": scopes})

    @pytest.mark.parametrize("credential", ["secret", object(), AccessToken("secret", 1)])
    def test_the_credential_is_one(
        self, driver: Any, given: dict[str, Any], credential: Any
    ) -> None:
        with pytest.raises(TypeError, match="token_credential must be an Entra") as caught:
            driver.make(**{**given, "token_credential": credential})
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("other", [{"token": "a.b.c"}, {"refresher": lambda: ""}])
    def test_it_is_either_or(self, driver: Any, given: dict[str, Any], other: Any) -> None:
        with pytest.raises(ValueError, match="either"):
            driver.make(**given, **other)

    def test_it_is_not_refreshed_ahead_of_need(self, driver: Any, given: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="'token_refresher' must not be None"):
            driver.make(**given, proactive_refresh=True)

    def test_a_misspelt_option_is_refused(self, driver: Any, given: dict[str, Any]) -> None:
        with pytest.raises(TypeError, match=r"'retry_totl'. Did you mean 'retry_total'"):
            driver.make(**given, retry_totl=3)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"retry_total": "x"}, "retry_total must be"),
            ({"read_timeout": "x"}, "read_timeout"),
            ({"redact_user_ids": "x"}, "redact_user_ids"),
        ],
    )
    def test_an_option_of_the_wrong_type_is_refused(
        self, driver: Any, given: dict[str, Any], options: dict[str, Any], expected: str
    ) -> None:
        with pytest.raises(TypeError, match=expected):
            driver.make(**given, **options)

    async def test_the_other_kind_of_entra_credential_is_refused(
        self, driver: Any, exchange: Exchange
    ) -> None:
        other = (Entra if driver.is_async else AsyncEntra)(exchange.emulator)

        with pytest.raises(TypeError, match=r"^token_credential ") as caught:
            await driver.get(exchange.make(token_credential=other))
        right = "azure.communication.identity" + ("" if driver.is_async else ".aio")
        says = f"use CommunicationTokenCredential of {right} for"
        assert says.lower() in str(caught.value).lower()
        assert exchange.sent == []

    @pytest.mark.parametrize("method", ["get_token", "get_token_info"])
    def test_of_azure_identity_it_is_refused_at_construction(
        self, driver: Any, given: dict[str, Any], method: str
    ) -> None:
        class Sync(ExitStack):
            pass

        class Async(AsyncExitStack):
            pass

        async def async_method(self: object, *scopes: str) -> None: ...

        def sync_method(self: object, *scopes: str) -> None: ...

        setattr(Async, method, async_method)
        setattr(Sync, method, sync_method)
        with pytest.raises(TypeError, match=r"^token_credential is (not )?async"):
            driver.make(**{**given, "token_credential": Sync() if driver.is_async else Async()})
        driver.make(**{**given, "token_credential": Async() if driver.is_async else Sync()})
        setattr(Sync, method, async_method)
        if driver.is_async:
            driver.make(**{**given, "token_credential": Sync()})


class Strict:
    """An Entra credential whose first token lacks claims; with one of the two protocols."""

    def __init__(self, entra: Entra) -> None:
        self.entra = entra
        self.claims: list[Any] = []


class StrictTokens(Strict):
    def get_token(self, *scopes: str, claims: Any = None, **kwargs: Any) -> Any:
        self.claims.append(claims)
        return self.entra.get_token(*scopes)


class AsyncStrictTokens(Strict):
    async def get_token(self, *scopes: str, claims: Any = None, **kwargs: Any) -> Any:
        self.claims.append(claims)
        return await self.entra.get_token(*scopes)


class StrictInfo(Strict):
    def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        self.claims.append((options or {}).get("claims"))
        return AccessTokenInfo(*self.entra.get_token(*scopes))


class AsyncStrictInfo(Strict):
    async def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        self.claims.append((options or {}).get("claims"))
        return AccessTokenInfo(*await self.entra.get_token(*scopes))


class Challenging(SansIOHTTPPolicy[Any, Any]):
    """Makes the first response the challenge that Entra's continuous access evaluation makes."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def on_response(self, request: Any, response: Any) -> None:
        self.sent.append(request.http_request.headers["Authorization"])
        if len(self.sent) == 1:
            response.http_response = Challenge(response.http_response)


class Challenge:
    """A response with another status and another header."""

    status_code = 401
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'

    def __init__(self, response: Any) -> None:
        encoded = b64encode(self.claims.encode()).decode()
        self.headers = {
            "WWW-Authenticate": f'Bearer error="insufficient_claims", claims="{encoded}"'
        }
        self._response = response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)


@pytest.mark.parametrize("is_info", [True, False])
async def test_a_claims_challenge_reaches_the_entra_credential(
    driver: Any, exchange: Exchange, is_info: bool
) -> None:
    kinds = (AsyncStrictInfo, AsyncStrictTokens) if driver.is_async else (StrictInfo, StrictTokens)
    entra = kinds[0 if is_info else 1](exchange.entra)
    policy = Challenging()
    credential = exchange.make(token_credential=entra, per_retry_policies=policy)
    first = await driver.get(credential)

    assert entra.claims == [None, Challenge.claims]
    assert len(policy.sent) == 2
    # The token that was accepted is the one that is compared next time.
    assert await driver.get(credential) == first
    assert len(policy.sent) == 2


async def test_the_timeout_is_that_of_the_whole_exchange(driver: Any, exchange: Exchange) -> None:
    class Slow:
        def get_token(self, *scopes: str, **kwargs: Any) -> Any:
            time.sleep(3)
            return exchange.entra.get_token(*scopes)

    class AsyncSlow:
        async def get_token(self, *scopes: str, **kwargs: Any) -> Any:
            await asyncio.sleep(3)

    slow: Any = AsyncSlow() if driver.is_async else Slow()
    credential = exchange.make(token_credential=slow, timeout=0.3)
    began = time.monotonic()
    with pytest.raises(ClientAuthenticationError) as raised:
        await driver.get(credential)
    assert isinstance(raised.value.__cause__, ServiceResponseTimeoutError)
    assert time.monotonic() - began < 2.5
    assert not exchange.sent


async def test_the_entra_token_leaves_less_time_for_the_exchange(
    driver: Any, exchange: Exchange
) -> None:
    deadlines: list[float] = []

    class Watching(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: Any) -> None:
            deadlines.append(request.context.options["deadline"])

    class Slow:
        def get_token(self, *scopes: str, **kwargs: Any) -> Any:
            time.sleep(0.5)
            return exchange.entra.get_token(*scopes)

    class AsyncSlow:
        async def get_token(self, *scopes: str, **kwargs: Any) -> Any:
            await asyncio.sleep(0.5)
            return await exchange.entra.get_token(*scopes)

    slow: Any = AsyncSlow() if driver.is_async else Slow()
    credential = exchange.make(token_credential=slow, per_retry_policies=Watching(), timeout=60)
    began = time.monotonic()
    await driver.get(credential)
    assert began + 30 < deadlines[0] < began + 60.3


class TestReuse:
    def rules(self, clock: Any) -> ExchangeRules:
        return ExchangeRules("https://resource", Entra.__new__(Entra), None, {}, clock)

    def test_holds_until_the_exchanged_token_expires(self, clock: Any) -> None:
        rules = self.rules(clock)
        token = rules.remember("entra", AccessToken("token", clock.now + 10))

        assert rules.reusable("entra") == token
        assert rules.reusable("another") is None
        clock.now += 10
        assert rules.reusable("entra") is None
