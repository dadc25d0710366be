"""Bearer tokens: which are accepted, and which are not."""

import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from openid_provider import AUDIENCE, Key, Provider, openid_provider
from running_service import Browser, Calls, Seconds, Services, Visitor

from acs_token_service.signin.bearer import IssuerOptions
from acs_token_service.signin.scopes import ScopeRule

pytestmark = pytest.mark.parametrize("storage", ["embedded"], indirect=True)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with openid_provider() as provider:
        yield provider


@pytest.fixture
def monotonic() -> Seconds:
    return Seconds()


@pytest.fixture
async def browser(services: Services, provider: Provider, monotonic: Seconds) -> Browser:
    issuers = [{"issuer": provider.issuer, "audience": AUDIENCE}]
    return await services.start({"monotonic": monotonic}, issuers=issuers, development_login=False)


async def status_of(browser: Browser, bearer: str) -> int:
    return (await Visitor(browser, bearer).ask()).status


async def test_a_token_of_the_issuer_is_accepted(browser: Browser, provider: Provider) -> None:
    reply = await Visitor(browser, provider.issue()).ask()
    assert reply.status == 200
    assert reply.body["scopes"] == ["chat", "voip"]
    assert (await browser.send("POST", "/development/signin", json={"name": "ada"})).status == 404


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "ES256"])
async def test_asymmetric_algorithms_are_accepted(
    browser: Browser, provider: Provider, algorithm: str
) -> None:
    provider.keys = [Key("another", algorithm)]
    assert await status_of(browser, provider.issue()) == 200


def unsigned(provider: Provider) -> str:
    claims = jwt.decode(provider.issue(), options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none", headers={"kid": "first"})


def signed_with_the_public_key_as_secret(provider: Provider) -> str:
    """The classic confusion: HMAC with the public key as secret."""
    public = (
        provider.keys[0]
        .private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    claims = jwt.decode(provider.issue(), options={"verify_signature": False})
    header = {"alg": "HS256", "typ": "JWT", "kid": "first"}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in (header, claims)
    ]
    signing_input = b".".join(parts)
    signature = jwt.get_algorithm_by_name("HS256").sign(signing_input, public)
    return (signing_input + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def stranger() -> Key:
    """A key that is not the provider's, by the id of one that is."""
    key = Key("a stranger's")
    key.kid = "first"
    return key


def signed_by_another_key(provider: Provider) -> str:
    return provider.issue(key=stranger())


def with_its_own_key(provider: Provider) -> str:
    own = stranger()
    return provider.issue(key=own, headers={"jwk": own.document, "jku": provider.issuer + "/keys"})


def with_a_changed_payload(provider: Provider) -> str:
    header, _, signature = provider.issue().split(".")
    _, payload, _ = provider.issue("bob").split(".")
    return f"{header}.{payload}.{signature}"


NOW = int(time.time())


def claiming(**changes: Any) -> Callable[[Provider], str]:
    return lambda provider: provider.issue(**changes)


REJECTED: dict[str, Callable[[Provider], str]] = {
    "unsigned": unsigned,
    "public key as secret": signed_with_the_public_key_as_secret,
    "signed by another key": signed_by_another_key,
    "brings its own key": with_its_own_key,
    "changed payload": with_a_changed_payload,
    "unknown key id": lambda provider: provider.issue(key=Key("unknown")),
    "expired": claiming(iat=NOW - 7200, exp=NOW - 3600),
    "without expiry": claiming(exp=None),
    "not valid yet": claiming(nbf=NOW + 3600),
    "issued in the future": claiming(iat=NOW + 3600, exp=NOW + 7200),
    "without time of issue": claiming(iat=None),
    "for another audience": claiming(aud="api://another-service"),
    "without audience": claiming(aud=None),
    "of another issuer": claiming(iss="https://login.example.com"),
    "without issuer": claiming(iss=None),
    "without subject": claiming(sub=None),
    "with an empty subject": claiming(sub=""),
    "with a very long subject": claiming(sub="a" * 256),
    "not a token": lambda _: "not-a-token",
    "empty parts": lambda _: "..",
    "too long": lambda provider: provider.issue(padding="x" * 20_000),
    "not ASCII": lambda _: "é.é.é",
}


@pytest.mark.parametrize("what", REJECTED)
async def test_is_refused(
    browser: Browser, provider: Provider, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert await status_of(browser, provider.issue()) == 200  # not everything is rejected
    bearer = REJECTED[what](provider)
    calls = Calls()
    caplog.set_level(logging.DEBUG, "acs_token_service")
    reply = await Visitor(browser, bearer).ask()
    assert (reply.status, reply.code) == (401, "NotSignedIn")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert bearer not in caplog.text + str(reply.body)
    assert calls("create") + calls("issue") == 0


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("unsigned", "InvalidAlgorithmError"),
        ("changed payload", "InvalidSignatureError"),
        ("unknown key id", "the issuer does not publish the key that its kid names"),
        ("expired", "ExpiredSignatureError"),
        ("for another audience", "aud is not the audience in ACS_TOKEN_ISSUERS"),
        ("of another issuer", "the issuer is not in ACS_TOKEN_ISSUERS"),
        ("without subject", "the claim sub is missing"),
        ("with an empty subject", "the subject is not a text of 1 to 255 characters"),
        ("not a token", "DecodeError"),
    ],
)
async def test_the_log_says_why_it_is_refused(
    browser: Browser, provider: Provider, caplog: pytest.LogCaptureFixture, what: str, reason: str
) -> None:
    caplog.set_level(logging.DEBUG, "acs_token_service.signin")
    assert await status_of(browser, REJECTED[what](provider)) == 401
    assert caplog.messages == [f"A bearer token was rejected: {reason}"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"headers": {"Authorization": "Basic YWRhOmFkYQ=="}},
        {"headers": {"Authorization": "Bearer"}},
        {"params": {"access_token": "TOKEN"}},
        {"cookies": {"access_token": "TOKEN"}},
    ],
)
async def test_a_token_is_taken_from_the_header_alone(
    browser: Browser, provider: Provider, options: dict[str, Any]
) -> None:
    token = provider.issue()
    text = json.dumps(options).replace("TOKEN", token)
    reply = await browser.send("GET", "/token", **json.loads(text))
    assert (reply.status, reply.code) == (401, "NotSignedIn")


@pytest.mark.parametrize("end", [Visitor.sign_out, Visitor.delete])
async def test_a_bearer_token_from_before_a_sign_out_or_deletion_is_refused(
    browser: Browser, provider: Provider, end: Callable[[Visitor], Any]
) -> None:
    now = int(time.time())
    ada = Visitor(browser, provider.issue(iat=now - 20))
    stolen = Visitor(browser, provider.issue(iat=now - 10))
    assert (await ada.ask()).status == 200
    assert (await end(ada)).status == 204
    calls = Calls()
    for replayed in (ada, stolen):
        reply = await replayed.ask()
        assert (reply.status, reply.code) == (401, "SignedOut")
        # After a deletion there is nothing to end.
        expected = 401 if end is Visitor.sign_out else 204
        assert (await replayed.sign_out()).status == expected
        assert (await replayed.delete()).status == expected
    assert calls("create") + calls("issue") + calls("revoke") + calls("delete") == 0
    later = Visitor(browser, provider.issue(iat=int(time.time()) + 2))
    assert (await later.ask()).status == 200


class TestRotation:
    async def test_a_new_key_is_fetched_when_it_is_first_used(
        self, browser: Browser, provider: Provider, monotonic: Seconds
    ) -> None:
        assert await status_of(browser, provider.issue()) == 200
        provider.keys.append(Key("second"))
        monotonic.now += 11
        assert await status_of(browser, provider.issue()) == 200

    async def test_a_withdrawn_key_is_refused_after_the_next_fetch(
        self, browser: Browser, provider: Provider, monotonic: Seconds
    ) -> None:
        old = provider.issue()
        assert await status_of(browser, old) == 200
        withdrawn = provider.keys.pop()
        provider.keys.append(Key("second"))
        monotonic.now += 601
        assert await status_of(browser, provider.issue("bob", key=withdrawn)) == 401

    async def test_invented_key_ids_do_not_make_it_fetch_each_time(
        self, browser: Browser, provider: Provider, monotonic: Seconds
    ) -> None:
        key = Key("invented")
        for number in range(20):
            monotonic.now += 0.4
            key.kid = f"invented-{number}"
            assert await status_of(browser, provider.issue(key=key)) == 401
        assert provider.fetches == 1

    async def test_keys_that_are_not_for_signatures_are_ignored(
        self, browser: Browser, provider: Provider
    ) -> None:
        provider.documents = [
            {"kty": "oct", "kid": "first", "k": "c2VjcmV0", "alg": "HS256"},
            {**stranger().document, "use": "enc"},
            {"kty": "RSA", "kid": "broken", "n": "AA", "e": "?"},
            {},
        ]
        assert await status_of(browser, provider.issue()) == 200


class TestUnreachable:
    async def test_known_keys_go_on_for_an_hour(
        self, browser: Browser, provider: Provider, monotonic: Seconds
    ) -> None:
        assert await status_of(browser, provider.issue("ada")) == 200
        provider.is_down = True
        monotonic.now += 3500
        assert await status_of(browser, provider.issue("bob")) == 200
        monotonic.now += 200
        reply = await Visitor(browser, provider.issue("cyd")).ask()
        assert (reply.status, reply.code) == (503, "IssuerUnreachable")
        assert int(reply.headers["Retry-After"]) >= 1
        provider.is_down = False
        monotonic.now += 11
        assert await status_of(browser, provider.issue("cyd")) == 200

    async def test_an_issuer_that_was_never_reached(
        self, browser: Browser, provider: Provider
    ) -> None:
        provider.is_down = True
        reply = await Visitor(browser, provider.issue()).ask()
        assert (reply.status, reply.code) == (503, "IssuerUnreachable")


class TestScopes:
    @pytest.mark.parametrize(
        ("claims", "scopes"),
        [
            ({}, ["chat", "voip"]),
            ({"roles": ["guest"]}, ["chat.join", "voip.join"]),
            ({"acct": 1}, ["chat.join", "voip.join"]),
            ({"acct": 0}, ["chat", "voip"]),
            ({"roles": "guest"}, ["chat.join", "voip.join"]),
        ],
    )
    async def test_guests_may_only_join(
        self, browser: Browser, provider: Provider, claims: dict[str, Any], scopes: list[str]
    ) -> None:
        visitor = Visitor(browser, provider.issue(**claims))
        assert (await visitor.ask()).body["scopes"] == scopes
        for scope in ("chat", "chat.join"):
            expected = 200 if scope in scopes else 403
            reply = await visitor.ask(scope)
            assert reply.status == expected
            if expected == 403:
                assert reply.code == "ScopeNotAllowed"

    async def test_a_function_of_ones_own_decides(
        self, services: Services, provider: Provider
    ) -> None:
        def allowed(claims: Any) -> frozenset[str]:
            return frozenset({"chat"} if claims["sub"] == "ada" else ())

        issuers = [{"issuer": provider.issuer, "audience": AUDIENCE}]
        browser = await services.start({"allowed_scopes": allowed}, issuers=issuers)
        assert (await Visitor(browser, provider.issue("ada")).ask()).body["scopes"] == ["chat"]
        assert (await Visitor(browser, provider.issue("bob")).ask()).code == "ScopeNotAllowed"

    @pytest.mark.parametrize("text", ["chat,voip", "chat voip", "voip, chat"])
    async def test_scopes_are_separated_by_commas_or_spaces(
        self, browser: Browser, provider: Provider, text: str
    ) -> None:
        reply = await Visitor(browser, provider.issue()).ask(text)
        assert reply.body["scopes"] == ["chat", "voip"]

    def test_a_rule_needs_both_claim_and_value(self, storage: object) -> None:
        with pytest.raises(ValueError, match="go together"):
            ScopeRule(claim="roles", value=None, scopes=("chat",))


def test_entra_is_an_issuer_by_its_tenant(storage: object) -> None:
    tenant = "aaaaaaaa-2222-3333-4444-555555555555"
    audience = "22222222-2222-3333-4444-555555555555"
    options = IssuerOptions.model_validate({"entra_tenant": tenant.upper(), "audience": audience})
    assert options.issuer == f"https://login.microsoftonline.com/{tenant}/v2.0"
    assert options.subject_claim == "oid"


@pytest.mark.parametrize("tenant", ["contoso.onmicrosoft.com", "common", "TENANT-ID", "1" * 32])
def test_an_entra_tenant_is_a_guid(storage: object, tenant: str) -> None:
    # Tokens of any tenant name it by its id, so that all of them would be rejected.
    with pytest.raises(ValueError, match="entra_tenant must be the id of a tenant, a GUID"):
        IssuerOptions.model_validate({"entra_tenant": tenant, "audience": "x"})


@pytest.mark.parametrize("url", ["http://login.example.com", "ftp://127.0.0.1", "login", ""])
def test_an_issuer_must_be_reached_safely(storage: object, url: str) -> None:
    with pytest.raises(ValueError, match="https URL"):
        IssuerOptions.model_validate({"issuer": url, "audience": "api://x"})


class TestDevelopmentLogin:
    async def test_is_for_this_machine_only(self, services: Services) -> None:
        browser = await services.start()
        reply = await browser.send(
            "POST", "/development/signin", json={"name": "ada"}, headers={"Host": "evil.example"}
        )
        assert (reply.status, reply.code) == (403, "Forbidden")

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
    async def test_is_refused_off_loopback(self, services: Services, host: str) -> None:
        with pytest.raises(ValueError, match="loopback"):
            services.settings(host=host)

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "[]",
            "{}",
            '{"name": ""}',
            '{"name": 1}',
            '{"name": "a", "roles": "guest"}',
            '{"name": "' + "a" * 200 + '"}',
        ],
    )
    async def test_says_what_it_expects(self, services: Services, body: str) -> None:
        browser = await services.start()
        reply = await browser.send("POST", "/development/signin", data=body)
        assert (reply.status, reply.code) == (400, "BadRequest")
