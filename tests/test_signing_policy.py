"""The signing policy: the signature covers the request as sent."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any, cast

import freezegun
import pytest
import time_machine
from azure.core.credentials import AccessToken, AzureKeyCredential, AzureSasCredential
from azure.core.pipeline import Pipeline, PipelineContext, PipelineRequest
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    BearerTokenCredentialPolicy,
    RetryPolicy,
)
from azure.core.pipeline.transport import HttpRequest as OlderHttpRequest
from azure.core.rest import HttpRequest

from azure.communication.identity._shared.auth_policy_utils import get_authentication_policy
from azure.communication.identity._shared.policy import HMACCredentialsPolicy
from azure.communication.identity._shared.signing import decode_access_key

KEY = base64.b64encode(b"the first key of a resource").decode()
NEW_KEY = base64.b64encode(b"the second key of a resource").decode()
URL = "https://resource.communication.azure.com/identities?api-version=2025-06-30"
DATE = "Tue, 24 Nov 2026 09:05:00 GMT"
AT_DATE = 1795511100.0
MODULE = "azure.communication.identity._shared.policy"


def policy(key: str | AzureKeyCredential = KEY, **kwargs: Any) -> HMACCredentialsPolicy:
    return HMACCredentialsPolicy("host.that.is.not.used", key, clock=lambda: AT_DATE, **kwargs)


def signed(request: Any, by: HMACCredentialsPolicy | None = None) -> Any:
    """The headers of a request after it was signed."""
    (by or policy()).on_request(PipelineRequest(request, PipelineContext(None)))
    return request.headers


def authorization(
    host: str,
    target: str,
    *,
    method: str = "POST",
    body: bytes = b"",
    key: str = KEY,
    date: str = DATE,
) -> str:
    """The header, computed independently of the library."""
    hashed = base64.b64encode(hashlib.sha256(body).digest()).decode()
    text = f"{method}\n{target}\n{date};{host};{hashed}"
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    return (
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
        f"&Signature={base64.b64encode(digest).decode()}"
    )


@pytest.mark.parametrize("freeze", [freezegun.freeze_time, time_machine.travel])
def test_the_date_is_that_of_a_frozen_clock(freeze: Any) -> None:
    by = HMACCredentialsPolicy("", KEY)
    with freeze("2026-11-24 09:05:00"):
        assert signed(HttpRequest("POST", URL), by)["x-ms-date"] == DATE


def test_the_headers_of_a_signature() -> None:
    assert dict(signed(HttpRequest("POST", URL))) == {
        "x-ms-date": DATE,
        "x-ms-content-sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "x-ms-return-client-request-id": "true",
        "Authorization": authorization(
            "resource.communication.azure.com", "/identities?api-version=2025-06-30"
        ),
    }


SENT = {
    "https://host/identities?a=b": ("host", "/identities?a=b"),
    "https://host": ("host", "/"),
    "https://host/": ("host", "/"),
    "https://host?a=b": ("host", "/?a=b"),
    "https://host?a=b/c": ("host", "/?a=b/c"),
    "https://host//identities": ("host", "//identities"),
    "https://host/base/identities": ("host", "/base/identities"),
    "HTTPS://Host/Identities": ("host", "/Identities"),
    "https://host:443/": ("host", "/"),
    "HTTPS://host:443/": ("host", "/"),
    "http://host:80/": ("host", "/"),
    "https://host:80/": ("host:80", "/"),
    "http://host:443/": ("host:443", "/"),
    "http://host:8080/": ("host:8080", "/"),
    "https://host:4430/": ("host:4430", "/"),
    "http://[::1]:8080/": ("[::1]:8080", "/"),
    "http://[::80]/": ("[::80]", "/"),
    "http://user:word@host/": ("host", "/"),
    "https://host/a?b#c?d/e": ("host", "/a?b"),
    "https://host#/a": ("host", "/"),
    "https://host/a%2Fb:c?d=%20": ("host", "/a%2Fb:c?d=%20"),
    "https://host/a?b=https://c": ("host", "/a?b=https://c"),
}


@pytest.mark.parametrize(("url", "sent"), SENT.items(), ids=SENT)
def test_host_and_target_are_signed_as_they_are_sent(url: str, sent: tuple[str, str]) -> None:
    assert signed(HttpRequest("POST", url))["Authorization"] == authorization(*sent)


@pytest.mark.parametrize("name", ["Host", "host"])
def test_the_host_header_of_the_request_is_the_one_that_is_signed(name: str) -> None:
    request = HttpRequest("POST", "https://127.0.0.1:8080/", headers={name: "Resource:1"})
    assert signed(request)["Authorization"] == authorization("Resource:1", "/")


@pytest.mark.parametrize("make_request", [HttpRequest, OlderHttpRequest])
@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_the_method_is_signed(make_request: Any, method: str) -> None:
    headers = signed(make_request(method, "https://host/"))
    assert headers["Authorization"] == authorization("host", "/", method=method)


BODIES: dict[str, tuple[Any, bytes]] = {
    "none": (HttpRequest("POST", "https://host/"), b""),
    "empty": (HttpRequest("POST", "https://host/", content=b""), b""),
    "bytes": (HttpRequest("POST", "https://host/", content=b"\xff"), b"\xff"),
    "str": (HttpRequest("POST", "https://host/", content="é"), "é".encode()),
    "json": (HttpRequest("POST", "https://host/", json={"a": 1}), b'{"a": 1}'),
    "older, none": (OlderHttpRequest("POST", "https://host/"), b""),
    "older, bytes": (OlderHttpRequest("POST", "https://host/", data=b"\xff"), b"\xff"),
    "older, str": (OlderHttpRequest("POST", "https://host/", data="é"), "é".encode()),
}


@pytest.mark.parametrize(("request_", "body"), BODIES.values(), ids=BODIES)
def test_the_body_is_signed(request_: Any, body: bytes) -> None:
    headers = signed(request_)
    hashed = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert headers["x-ms-content-sha256"] == hashed
    assert headers["Authorization"] == authorization("host", "/", body=body)


def chunks() -> Iterator[bytes]:
    yield b"chunk"


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("POST", URL, content=chunks()),
        HttpRequest("POST", URL, files={"file": b"chunk"}),
        OlderHttpRequest("POST", URL, data=cast(Any, chunks())),
    ],
    ids=["stream", "files", "older stream"],
)
def test_a_stream_cannot_be_signed(request_: Any) -> None:
    with pytest.raises(TypeError, match="a stream cannot be signed before it is read"):
        signed(request_)
    assert "Authorization" not in request_.headers


def test_the_path_is_unquoted_for_services_that_want_it_so() -> None:
    url = "https://host/a%3Ab%20c?d=e%2Ff"
    assert signed(HttpRequest("POST", url), policy(decode_url=True))[
        "Authorization"
    ] == authorization("host", "/a:b c?d=e/f")


def test_an_updated_key_signs_the_next_request() -> None:
    credential = AzureKeyCredential(KEY)
    signs = policy(credential)
    for key in (KEY, NEW_KEY, NEW_KEY, KEY):
        credential.update(key)
        assert signed(HttpRequest("POST", "https://host/"), signs)["Authorization"] == (
            authorization("host", "/", key=key)
        )


def test_an_update_to_what_is_no_key_is_refused_and_not_shown() -> None:
    credential = AzureKeyCredential(KEY)
    signs = policy(credential)
    credential.update("no-base64!")
    request = HttpRequest("POST", URL)
    with pytest.raises(ValueError, match="not base64") as caught:
        signed(request, signs)
    assert "no-base64!" not in str(caught.value)
    credential.update(KEY)
    signed(request, signs)


@pytest.mark.parametrize("key", ["no-base64!", ""])
def test_what_is_no_key_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="not base64"):
        policy(key)


def test_a_date_is_made_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[float] = []

    def format_and_count(time: float, usegmt: bool) -> str:
        made.append(time)
        return f"date {time}"

    monkeypatch.setattr(f"{MODULE}.formatdate", format_and_count)
    times = iter([0.0, 0.9, 1.0, 1.999, 2.0, 1.5])
    signs = HMACCredentialsPolicy("host", KEY, clock=lambda: next(times))
    dates = [signed(HttpRequest("POST", URL), signs)["x-ms-date"] for _ in range(6)]
    assert dates == ["date 0", "date 0", "date 1", "date 1", "date 2", "date 1"]
    assert made == [0, 1, 2, 1]


class Transport:
    """Answers 503 some times and then 204, and keeps the headers of what it was sent."""

    def __init__(self, failures: int, on_send: Callable[[], None]) -> None:
        self.sent: list[dict[str, str]] = []
        self._failures = failures
        self._on_send = on_send

    def __enter__(self) -> "Transport":
        return self

    def __exit__(self, *args: object) -> None: ...

    def send(self, request: HttpRequest, **kwargs: Any) -> Any:
        self.sent.append(dict(request.headers))
        self._on_send()
        status = 503 if len(self.sent) <= self._failures else 204
        return SimpleNamespace(status_code=status, headers={}, request=request)


def test_every_retry_is_signed_anew() -> None:
    now = [AT_DATE - 2]
    credential = AzureKeyCredential(NEW_KEY)

    def between_tries() -> None:
        now[0] += 1
        credential.update(KEY)

    transport: Any = Transport(failures=2, on_send=between_tries)
    signs = HMACCredentialsPolicy("host", credential, clock=lambda: now[0])
    retries = RetryPolicy(retry_backoff_factor=0, retry_on_methods=["POST"])
    Pipeline(transport, policies=[retries, signs]).run(HttpRequest("POST", "https://host/"))
    dates = [headers["x-ms-date"] for headers in transport.sent]
    assert dates == [
        "Tue, 24 Nov 2026 09:04:58 GMT",
        "Tue, 24 Nov 2026 09:04:59 GMT",
        DATE,
    ]
    assert transport.sent[-1]["Authorization"] == authorization("host", "/")


def test_a_thread_that_signs_while_another_decodes_the_new_key_uses_the_new_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    credential = AzureKeyCredential(KEY)
    signs = policy(credential)
    credential.update(NEW_KEY)
    meanwhile = []

    def decode_slowly(key: str) -> bytes:
        # What another thread would do at this point, in an order that is always the same.
        monkeypatch.setattr(f"{MODULE}.decode_access_key", decode_access_key)
        meanwhile.append(signed(HttpRequest("POST", "https://host/"), signs)["Authorization"])
        return decode_access_key(key)

    monkeypatch.setattr(f"{MODULE}.decode_access_key", decode_slowly)
    first = signed(HttpRequest("POST", "https://host/"), signs)["Authorization"]
    assert [first, *meanwhile] == [authorization("host", "/", key=NEW_KEY)] * 2


def test_threads_get_the_date_of_their_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([AT_DATE, AT_DATE + 1])
    signs = HMACCredentialsPolicy("host", KEY, clock=lambda: next(times))
    meanwhile = []

    def format_slowly(time: float, usegmt: bool) -> str:
        monkeypatch.setattr(f"{MODULE}.formatdate", formatdate)
        meanwhile.append(signed(HttpRequest("POST", URL), signs)["x-ms-date"])
        return formatdate(time, usegmt=usegmt)

    monkeypatch.setattr(f"{MODULE}.formatdate", format_slowly)
    assert signed(HttpRequest("POST", URL), signs)["x-ms-date"] == DATE
    assert meanwhile == ["Tue, 24 Nov 2026 09:05:01 GMT"]


class EntraCredential:
    def get_token(self, *scopes: str, **kwargs: Any) -> Any: ...


class NewerEntraCredential:
    def get_token_info(self, *scopes: str, **kwargs: Any) -> Any: ...


@pytest.mark.parametrize("make_credential", [EntraCredential, NewerEntraCredential])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, BearerTokenCredentialPolicy),
        ({"is_async": False}, BearerTokenCredentialPolicy),
        ({"is_async": True}, AsyncBearerTokenCredentialPolicy),
    ],
)
def test_an_entra_credential_gives_bearer_tokens_of_the_resource(
    make_credential: Any, options: dict[str, bool], expected: type
) -> None:
    found = get_authentication_policy("https://host", make_credential(), **options)
    assert isinstance(found, expected)
    assert vars(found)["_scopes"] == ("https://communication.azure.com//.default",)


class ClaimsCredential:
    """Remembers the claims that it is asked for."""

    def __init__(self) -> None:
        self.claims: list[str] = []

    def get_token(self, *scopes: str, claims: str, **kwargs: Any) -> AccessToken:
        self.claims.append(claims)
        return AccessToken("token", 9_999_999_999)


class AsyncClaimsCredential(ClaimsCredential):
    async def get_token(  # type: ignore[override]
        self, *scopes: str, claims: str, **kwargs: Any
    ) -> AccessToken:
        return super().get_token(*scopes, claims=claims)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("challenge", "claims"),
    [
        *[
            (f'Bearer error="insufficient_claims", claims="{encoded}"', [claims])
            for encoded, claims in (("e30=", "{}"), ("e30", "{}"), ("WzFd", "[1]"), ("MQ", "1"))
        ],
        ('Bearer error="insufficient_claims", CLAIMS="e30"', ["{}"]),
        *[
            (f'Bearer error="insufficient_claims", claims="{malformed}"', [])
            for malformed in ("a", "_w==", "\xe9", "YWJjZGVm=AQ")
        ],
        ('Bearer error="insufficient_claims"', []),
        ("", []),
    ],
)
def test_a_challenge_is_answered_if_its_claims_can_be_decoded(
    is_async: bool, challenge: str, claims: list[str], loop: asyncio.AbstractEventLoop
) -> None:
    credential: Any = AsyncClaimsCredential() if is_async else ClaimsCredential()
    found: Any = get_authentication_policy("https://host", credential, is_async=is_async)
    request = PipelineRequest(HttpRequest("GET", "https://host"), PipelineContext(None))
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    answered = found.on_challenge(
        request, SimpleNamespace(http_response=SimpleNamespace(headers=headers))
    )
    assert (loop.run_until_complete(answered) if is_async else answered) is bool(claims)
    assert credential.claims == claims
    authorization = request.http_request.headers.get("Authorization")
    assert authorization == ("Bearer token" if claims else None)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("credential", [KEY, AzureKeyCredential(KEY)])
def test_a_key_signs_in_sync_and_async(is_async: bool, credential: Any) -> None:
    found = get_authentication_policy(
        "https://host", credential, decode_url=True, is_async=is_async
    )
    assert isinstance(found, HMACCredentialsPolicy)
    headers = signed(HttpRequest("POST", "https://host/a%3Ab"), found)
    assert headers["Authorization"] == authorization("host", "/a:b", date=headers["x-ms-date"])


@pytest.mark.parametrize(
    "credential", [AzureSasCredential("signature"), b"bytes", 1, object()], ids=type
)
def test_what_is_no_credential_is_a_type_error(credential: Any) -> None:
    with pytest.raises(TypeError, match=r"^credential must be an access key .* not \w+\.$"):
        get_authentication_policy("https://host", credential)


def test_no_credential_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="credential must not be None"):
        get_authentication_policy("https://host", None)  # type: ignore[arg-type]
