"""Whatever a caller passes: a ValueError or TypeError without a secret, or a sound request."""

import json
import pickle
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from azure.core.credentials import AccessToken
from either_client import KEY, EitherClient
from fuzz.targets import ENDPOINT, FLAVOURS, changed, event_loop, near, request_of, target
from hypothesis import strategies as st

from azure.communication.identity import CommunicationTokenCredential, identifier_from_raw_id
from azure.communication.identity._shared.utils import create_access_token
from azure.communication.identity.aio import (
    CommunicationTokenCredential as AsyncCommunicationTokenCredential,
)

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjQ4NjM2ODMwMDV9.c2lnbmF0dXJl"
ODD_NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([0, -1, 10**12, 10**400, 253402300800])
)
ANYTHING = st.one_of(st.none(), st.booleans(), ODD_NUMBERS, st.text(max_size=9), st.binary())
URL_PIECES = (
    "https://", "http://", "HTTPS://", "contoso.communication.azure.com", "[::1]", ":443", ":80",
    ":99999", "@", "/", "..", "%2F", "?", "#", "ä.example", "\u3002", "\\", " ", "a..b", "xn--",
)  # fmt: skip
PASTED = (
    "endpoint=", "accesskey=", "AccessKey =", ";", "=", f"{ENDPOINT}/", KEY, f"accesskey={KEY}",
    f"endpoint={ENDPOINT}/;", "'", '"', "\ufeff", "\u200b", "\n", "export X=", "?sig=", "\u201c",
)  # fmt: skip


def _create(client: EitherClient) -> object:
    return client.create_user()


@target(
    text=near(*PASTED, *URL_PIECES)
    | changed(f"endpoint={ENDPOINT}/;accesskey={KEY}", *PASTED, *URL_PIECES)
)
def connection_strings(text: str) -> None:
    request = request_of(
        _create,
        lambda factory, transport: factory.from_connection_string(
            text, transport=transport, retry_total=0
        ),
    )
    if request is not None:
        _check_url(request.url)


@target(text=near(*URL_PIECES, *PASTED) | changed(f"{ENDPOINT}:443/a/b", *URL_PIECES))
def endpoints(text: str) -> None:
    request = request_of(
        _create, lambda factory, transport: factory(text, transport=transport, retry_total=0)
    )
    if request is not None:
        _check_url(request.url)
        again = request_of(
            _create,
            lambda factory, transport: factory(
                request.url.partition("/identities")[0], transport=transport, retry_total=0
            ),
        )
        assert "/identities/" in request.url or again.url == request.url


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    assert url.isascii()
    assert KEY not in url
    assert parts.scheme in ("http", "https")
    assert parts.hostname
    assert parts.port is None or 0 <= parts.port < 65536
    assert "@" not in parts.netloc
    assert parts.path.endswith("/identities")


@target(text=near(*PASTED, "abcd", "====", "+/") | changed(KEY, *PASTED))
def access_keys(text: str) -> None:
    request_of(
        _create,
        lambda factory, transport: factory(ENDPOINT, text, transport=transport, retry_total=0),
    )


@target(text=near("2025-06-30", "-preview", "2022-10-01", "&", "=", "%", ".", "api-version"))
def api_versions(text: str) -> None:
    request = request_of(
        _create,
        lambda factory, transport: factory(
            ENDPOINT, transport=transport, retry_total=0, api_version=text
        ),
    )
    if request is not None:
        assert parse_qs(urlsplit(request.url).query)["api-version"] == [text]


@target(text=near("8:acs:", "..", ".", "/", "%2F", "?", "#", "_", "\\", "\n", "\ud800"))
def user_ids(text: str) -> None:
    request = request_of(lambda client: client.delete_user(text))
    if request is not None:
        *_, folder, quoted = urlsplit(request.url).path.split("/")
        assert folder == "identities"
        assert unquote(quoted) == text


@target(names=st.tuples(*[near("tenant", "..", "/", "%", "?")] * 2), kind=ANYTHING)
def assignments(names: tuple[str, str], kind: Any) -> None:
    request = request_of(lambda client: client.upsert_teams_extension_assignment(*names, kind))
    if request is not None:
        path = urlsplit(request.url).path.split("/")
        assert (unquote(path[4]), unquote(path[6])) == names


@target(arguments=st.tuples(ANYTHING, ANYTHING, ANYTHING))
def arguments_of_an_exchange(arguments: tuple[Any, Any, Any]) -> None:
    request = request_of(lambda client: client.get_token_for_teams_user(*arguments))
    if request is not None:
        assert tuple(json.loads(request.content).values()) == arguments


@target(user=ANYTHING, scopes=ANYTHING | st.lists(ANYTHING, max_size=3), expires=ANYTHING)
def arguments_of_get_token(user: Any, scopes: Any, expires: Any) -> None:
    request_of(lambda client: client.get_token(user, scopes, token_expires_in=expires))


OPTIONS = st.sampled_from(
    [
        "timeout", "connection_timeout", "read_timeout", "retry_total", "retry_connect",
        "retry_read", "retry_status", "retry_backoff_factor", "retry_backoff_max", "retry_mode",
        "retry_on_status_codes", "retry_on_methods", "proxies", "headers", "request_id", "no_such",
        "connection_verify", "permit_redirects", "user_agent", "tracing_attributes", "api_version",
    ]
)  # fmt: skip


@target(name=OPTIONS, value=ANYTHING)
def options_of_a_call(name: str, value: Any) -> None:
    request_of(lambda client: client.create_user(**{name: value}))


@target(name=OPTIONS, value=ANYTHING)
def options_of_a_client(name: str, value: Any) -> None:
    request_of(
        _create,
        lambda factory, transport: factory(ENDPOINT, transport=transport, **{name: value}),
    )


@target(
    text=changed("8:gcch-acs:a_b_c", "_", ":")
    | near("4:", "8:", "28:", "acs:", "orgid:", "gcch-acs:", "_", ":", "teamsvisitor:")
)
def raw_ids(text: str) -> None:
    identifier = identifier_from_raw_id(text)
    assert identifier.raw_id == text
    copy = pickle.loads(pickle.dumps(identifier))
    assert copy == identifier
    assert hash(copy) == hash(identifier)
    assert repr(copy) == repr(identifier)


@target(
    text=changed(JWT, ".", "=", "\n")
    | near(JWT, JWT[:21], ".", "Bearer ", "=", "\n", '"', "e30", "eyJleHAiOjFlOTk5fQ")
)
def tokens(text: str) -> None:
    assert _credential(text) in (None, text)
    try:
        assert create_access_token(text).token == text
    except ValueError as error:
        assert not _shows(text, error)


@target(text=near(JWT, "Bearer ", ".", length=3), expires_on=ANYTHING)
def tokens_with_an_expiry(text: str, expires_on: Any) -> None:
    assert _credential(AccessToken(text, expires_on), text) in (None, text)


def _credential(token: Any, text: str = "") -> str | None:
    """The token that both credentials serve. None if they reject it."""
    outcomes: list[str | None] = []
    for flavour in FLAVOURS:
        try:
            if flavour == "sync":
                with CommunicationTokenCredential(token) as credential:
                    outcomes.append(credential.get_token().token)
            else:
                outcomes.append(event_loop().run_until_complete(_async_token(token)))
        except (ValueError, TypeError) as error:
            assert not _shows(text or str(token), error)
            outcomes.append(None)
    assert outcomes[0] == outcomes[1]
    return outcomes[0]


async def _async_token(token: Any) -> str:
    async with AsyncCommunicationTokenCredential(token) as credential:
        return str((await credential.get_token()).token)


def _shows(text: str, error: Exception) -> bool:
    return len(text) > 20 and text in str(error)
