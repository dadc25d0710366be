"""Mistakes of the caller are rejected before anything is sent."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import HttpRequest
from either_client import KEY, ClientFactory

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import CommunicationUserIdentifier, PhoneNumberIdentifier

ENDPOINT = "https://my-resource.communication.azure.com"
SECRET = "MTIzNDU2Nzg5MA==!"


class UntouchedTransport(HttpTransport[Any, Any]):
    def open(self) -> None: ...

    def close(self) -> None: ...

    def send(self, request: Any, **kwargs: Any) -> Any:
        pytest.fail(f"sent {request.method} {request.url}")

    def __exit__(self, *exception: object) -> None: ...


class AsyncUntouchedTransport(AsyncHttpTransport[Any, Any]):
    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def send(self, request: Any, **kwargs: Any) -> Any:
        pytest.fail(f"sent {request.method} {request.url}")

    async def __aexit__(self, *exception: object) -> None: ...


@pytest.fixture
def transport(flavour: str) -> Any:
    return UntouchedTransport() if flavour == "sync" else AsyncUntouchedTransport()


class Stranger:
    """Has an id, but is not a user."""

    id = "8:acs:x"


PREVIEW = {"api_version": "2025-03-02-preview"}
ASSIGNMENT_METHODS: list[tuple[str, tuple[str, ...]]] = [
    ("get_teams_extension_assignment", ()),
    ("upsert_teams_extension_assignment", ("user",)),
    ("delete_teams_extension_assignment", ()),
]
CLIENT_IDS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"client_ids": "c"}, TypeError, "client_ids must be a list of ids, not str"),
    ({"client_ids": {"c"}}, TypeError, "not set"),
    ({"client_ids": [None]}, TypeError, "Each of client_ids must be a str, not NoneType"),
    ({"client_ids": ["c", UUID(int=1)]}, TypeError, "not UUID"),
    ({"client_id": ["c"]}, TypeError, "Did you mean 'client_ids'"),
]
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    ("create_user", (), {"token_expires_in": timedelta(hours=2)}, TypeError, "unexpected keyword"),
    ("create_user", (), {"api_version": 20250630}, TypeError, "api_version must be"),
    ("create_user", (), {"api_version": ""}, ValueError, "api_version must be"),
    ("create_user", (), {"api_version": "2025-06-30&x=y"}, ValueError, "api_version must be"),
    ("create_user", (), {"loging_enable": True}, TypeError, "Did you mean 'logging_enable'"),
    ("create_user_and_token", (None,), {}, TypeError, "scopes must be a list"),
    ("create_user_and_token", ([],), {}, ValueError, "scopes must be a list"),
    ("create_user_and_token", ((),), {}, ValueError, "it is empty"),
    ("create_user_and_token", ("chat",), {}, TypeError, "not str"),
    ("create_user_and_token", (b"chat",), {}, TypeError, "not bytes"),
    ("create_user_and_token", ({"chat": 1},), {}, TypeError, "not dict"),
    ("create_user_and_token", ({"chat"},), {}, TypeError, "not set"),
    ("create_user_and_token", ([None],), {}, TypeError, "Each of scopes"),
    ("create_user_and_token", (["chat", 7],), {}, TypeError, "not int"),
    ("create_user_and_token", ([["chat"]],), {}, TypeError, "not list"),
    ("create_user_and_token", (), {}, TypeError, "scopes"),
    ("create_user_and_token", (["chat"],), {"token_expires_in": 60}, TypeError, "a timedelta"),
    ("create_user_and_token", (["chat"],), {"token_expires_in": "1h"}, TypeError, "a timedelta"),
    ("create_user_and_token", (["chat"], timedelta(hours=2)), {}, TypeError, "positional"),
    (
        "create_user_and_token",
        (["chat"],),
        {"token_expire_in": timedelta(hours=2)},
        TypeError,
        "Did you mean 'token_expires_in'",
    ),
    (
        "create_user_and_token",
        (["chat"],),
        {"token_expires_in": timedelta(hours=2), "api_version": "2022-06-01"},
        ValueError,
        "needs api_version '2022-10-01'",
    ),
    ("get_token", (None, ["chat"]), {}, TypeError, "user must be a CommunicationUserIdentifier"),
    ("get_token", ("", ["chat"]), {}, ValueError, "user must have an id"),
    ("get_token", (".", ["chat"]), {}, ValueError, "user must have an id"),
    ("get_token", ("..", ["chat"]), {}, ValueError, "user must have an id"),
    ("get_token", ("8:acs:\ud800", ["chat"]), {}, ValueError, "surrogate"),
    ("get_token", (CommunicationUserIdentifier(""), ["chat"]), {}, ValueError, "must have an id"),
    ("get_token", (CommunicationUserIdentifier(".."), ["chat"]), {}, ValueError, "have an id"),
    ("get_token", (PhoneNumberIdentifier("+1"), ["chat"]), {}, TypeError, "PhoneNumberIdentifier"),
    ("get_token", (Stranger(), ["chat"]), {}, TypeError, "not Stranger"),
    ("get_token", ({"id": "8:acs:x"}, ["chat"]), {}, TypeError, "not dict"),
    ("get_token", (b"8:acs:x", ["chat"]), {}, TypeError, "not bytes"),
    ("get_token", (8, ["chat"]), {}, TypeError, "not int"),
    ("get_token", ("8:acs:x", None), {}, TypeError, "scopes must be a list"),
    ("get_token", ("8:acs:x", []), {}, ValueError, "it is empty"),
    ("get_token", ("8:acs:x", "voip"), {}, TypeError, "not str"),
    ("get_token", ("8:acs:x", [object()]), {}, TypeError, "Each of scopes"),
    ("get_token", ("8:acs:x",), {}, TypeError, "scopes"),
    ("get_token", ("8:acs:x", ["chat"]), {"token_expires_in": 1.5}, TypeError, "not float"),
    ("get_token", ("8:acs:x", ["chat"]), {"expires_in": 60}, TypeError, "unexpected keyword"),
    ("revoke_tokens", (None,), {}, TypeError, "not NoneType"),
    ("revoke_tokens", ("",), {}, ValueError, "must have an id"),
    ("revoke_tokens", (".",), {}, ValueError, "must have an id"),
    ("revoke_tokens", (), {}, TypeError, "user"),
    ("revoke_tokens", (["8:acs:x"],), {}, TypeError, "not list"),
    ("revoke_tokens", ("8:acs:x",), {"scopes": ["chat"]}, TypeError, "unexpected keyword"),
    ("delete_user", (None,), {}, TypeError, "not NoneType"),
    ("delete_user", ("",), {}, ValueError, "must have an id"),
    ("delete_user", ("..",), {}, ValueError, "must have an id"),
    ("delete_user", ("8:acs:x",), {"retries": 0}, TypeError, "unexpected keyword"),
    ("get_token_for_teams_user", (None, "app", "user"), {}, TypeError, "aad_token must be a str"),
    ("get_token_for_teams_user", ("token", None, "user"), {}, TypeError, "client_id must be a str"),
    ("get_token_for_teams_user", ("token", "app", 7), {}, TypeError, "user_object_id must be"),
    ("get_token_for_teams_user", ("token", "app"), {}, TypeError, "user_object_id"),
    (
        "get_token_for_teams_user",
        ("token", "app", "user"),
        {"api_version": "2021-03-07"},
        ValueError,
        "needs api_version '2022-06-01'",
    ),
    *(
        (method, arguments, option, TypeError, f"keyword argument {next(iter(option))!r}")
        for method, arguments in [
            ("create_user", ()),
            ("create_user_and_token", (["chat"],)),
            ("get_token", ("8:acs:x", ["chat"])),
            ("revoke_tokens", ("8:acs:x",)),
            ("delete_user", ("8:acs:x",)),
            ("get_token_for_teams_user", ("token", "app", "user")),
        ]
        for option in ({"cls": tuple}, {"content_type": "application/json"})
    ),
    ("create_user", (), {"custom_id": 7}, TypeError, "custom_id must be a str of your own"),
    ("create_user", (), {"custom_id": b"mine"}, TypeError, "not bytes"),
    ("create_user", (), {"custom_id": ""}, ValueError, "it is empty"),
    ("create_user", (), {"custom_id": "a\ud800"} | PREVIEW, ValueError, "surrogate"),
    (
        "create_user",
        (),
        {"custom_id": "mine"},
        ValueError,
        "needs api_version '2025-03-02-preview'",
    ),
    ("create_user", (), {"costum_id": "mine"}, TypeError, "Did you mean 'custom_id'"),
    ("create_user", ("mine",), {}, TypeError, "positional"),
    ("create_user_and_token", (["chat"],), {"custom_id": 7}, TypeError, "custom_id must be a str"),
    ("create_user_and_token", (["chat"],), {"custom_id": ""}, ValueError, "it is empty"),
    ("create_user_and_token", ([],), {"custom_id": "mine"} | PREVIEW, ValueError, "scopes must be"),
    ("get_token", ("8:acs:x", ["chat"]), {"custom_id": "mine"}, TypeError, r"'custom_id'\.$"),
    ("get_user_detail", (None,), PREVIEW, TypeError, "not NoneType"),
    ("get_user_detail", ("",), PREVIEW, ValueError, "must have an id"),
    ("get_user_detail", ("..",), PREVIEW, ValueError, "must have an id"),
    ("get_user_detail", (PhoneNumberIdentifier("+1"),), PREVIEW, TypeError, "not PhoneNumber"),
    ("get_user_detail", ("8:acs:x",), {}, ValueError, "needs api_version '2025-03-02-preview'"),
    *(
        (method, (*ids, *rest), {}, error, words)
        for method, rest in ASSIGNMENT_METHODS
        for ids, error, words in [
            ((None, "object"), TypeError, "tenant_id must be a str, not NoneType"),
            (("tenant", None), TypeError, "object_id must be a str, not NoneType"),
            ((UUID(int=1), "object"), TypeError, "tenant_id must be a str, not UUID"),
            (("", "object"), ValueError, "tenant_id must be an id"),
            (("tenant", ""), ValueError, "object_id must be an id"),
            ((".", "object"), ValueError, "tenant_id must be an id"),
            (("tenant", ".."), ValueError, "object_id must be an id"),
            (("tenant", "\udfff"), ValueError, "object_id cannot be encoded"),
        ]
    ),
    ("upsert_teams_extension_assignment", ("t", "o"), {}, TypeError, "principal_type"),
    ("upsert_teams_extension_assignment", ("t", "o", None), {}, TypeError, "principal_type must"),
    ("upsert_teams_extension_assignment", ("t", "o", 1), {}, TypeError, "not int"),
    ("upsert_teams_extension_assignment", ("t", "o", "user", ["c"]), {}, TypeError, "positional"),
    *(
        ("upsert_teams_extension_assignment", ("t", "o", "user"), options, error, words)
        for options, error, words in CLIENT_IDS
    ),
]
# Options of calls and of clients.
OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"headers": {"a": 5}}, "headers must map names to str. It is a dict"),
    ({"headers": "x"}, "headers must map"),
    ({"headers": ["x"]}, "headers must map"),
    ({"logger": 5}, "logger must be a Logger"),
    ({"proxies": "http://somebody:secret@proxy"}, "proxies must map schemes .* It is a str"),
    ({"proxies": {"http": 5}}, "proxies must map"),
    ({"raw_request_hook": 5}, "raw_request_hook must be a function"),
    ({"raw_response_hook": 5}, "raw_response_hook must be a function"),
    ({"redirect_max": "1"}, "redirect_max must be a whole number"),
    ({"request_id": 5}, "request_id must be a str"),
    ({"retry_backoff_factor": "1"}, "retry_backoff_factor must be a number of seconds"),
    ({"retry_backoff_max": None}, "retry_backoff_max must be a number of seconds"),
    ({"retry_connect": "3"}, "retry_connect must be a whole number. It is a str"),
    ({"retry_on_methods": 5}, "retry_on_methods must be a list"),
    ({"retry_on_status_codes": 418}, "retry_on_status_codes must be a list of status codes"),
    ({"retry_on_status_codes": "418"}, "retry_on_status_codes must be a list of status codes"),
    ({"retry_on_status_codes": ["418"]}, "which are ints"),
    ({"retry_read": 1.5}, "retry_read must be a whole number"),
    ({"retry_status": "3"}, "retry_status must be a whole number"),
    ({"retry_total": "3"}, "retry_total must be a whole number"),
    ({"retry_total": None}, "retry_total must be a whole number"),
]
CALLS += [("create_user", (), options, TypeError, words) for options, words in OPTIONS]
CALLS += [
    ("create_user", (), {"params": 5}, TypeError, "params must map"),
    ("create_user", (), {"params": {"a": 5}}, TypeError, "params must map"),
    *(
        ("create_user", (), {name: None}, TypeError, f"unexpected keyword argument '{name}'")
        for name in ("body", "cls", "stream", "transport")
    ),
    (
        "get_token",
        ("8:acs:x", ["chat"]),
        {"id": "y"},
        TypeError,
        "unexpected keyword argument 'id'",
    ),
    ("send_request", (HttpRequest("GET", "/x"),), {"retry_total": "3"}, TypeError, "retry_total"),
]


@pytest.mark.parametrize(("method", "arguments", "options", "error", "words"), CALLS)
def test_calls(
    make_client: ClientFactory,
    transport: Any,
    method: str,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    client = make_client(ENDPOINT, KEY, transport=transport)
    with pytest.raises(error, match=words):
        getattr(client, method)(*arguments, **options)


CLIENTS: list[tuple[Any, Any, dict[str, Any], type[Exception], str]] = [
    (None, KEY, {}, TypeError, "endpoint must be the URL"),
    (b"https://x", KEY, {}, TypeError, "endpoint must be the URL"),
    ("", KEY, {}, ValueError, "endpoint must be the URL"),
    ("https://", KEY, {}, ValueError, "endpoint must be the URL"),
    ("ftp://my-resource", KEY, {}, ValueError, "endpoint must be the URL"),
    ("https://my resource", KEY, {}, ValueError, "endpoint must be the URL"),
    ("https://host:port", KEY, {}, ValueError, "endpoint must be the URL"),
    ("https://host:99999", KEY, {}, ValueError, "endpoint must be the URL"),
    ("https://host/?api-version=1", KEY, {}, ValueError, "endpoint must be the URL"),
    ("https://host/#there", KEY, {}, ValueError, "endpoint must be the URL"),
    ("https://host/a/../b", KEY, {}, ValueError, "endpoint must be the URL"),
    ("https://host/\r\nx", KEY, {}, ValueError, "endpoint must be the URL"),
    ("https://somebody:secret@host", KEY, {}, ValueError, "user name"),
    (ENDPOINT, None, {}, ValueError, "credential must not be None"),
    (ENDPOINT, 7, {}, TypeError, "credential must be an access key"),
    (ENDPOINT, object(), {}, TypeError, "credential must be an access key"),
    (ENDPOINT, "", {}, ValueError, "not base64"),
    (ENDPOINT, SECRET, {}, ValueError, "not base64"),
    (ENDPOINT, AzureKeyCredential(SECRET), {}, ValueError, "not base64"),
    (ENDPOINT, KEY, {"api_version": None}, TypeError, "api_version must be"),
    (ENDPOINT, KEY, {"api_version": "2025/06/30"}, ValueError, "api_version must be"),
    (ENDPOINT, KEY, {"retry_totle": 3}, TypeError, "Did you mean 'retry_total'"),
    (ENDPOINT, KEY, {"api_verson": "2025-06-30"}, TypeError, "Did you mean 'api_version'"),
    (ENDPOINT, KEY, {"connection_data_block_size": "x"}, TypeError, "must be a whole number"),
    (ENDPOINT, KEY, {"redirect_on_status_codes": 5}, TypeError, "must be a list of status codes"),
    *((ENDPOINT, KEY, options, TypeError, words) for options, words in OPTIONS),
]


@pytest.mark.parametrize(("endpoint", "credential", "options", "error", "words"), CLIENTS)
def test_clients(
    make_client: ClientFactory,
    transport: Any,
    endpoint: Any,
    credential: Any,
    options: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words) as raised:
        make_client(endpoint, credential, transport=transport, **options)
    assert SECRET not in str(raised.value)
    assert "secret@" not in str(raised.value)


# None is what a setting without a value gives, and pairs are what azure-core takes, too.
TAKEN: list[dict[str, Any]] = [
    dict.fromkeys(["headers", "logger", "proxies", "raw_request_hook", "raw_response_hook"]),
    {"headers": [("a", "b")], "request_id": None, "retry_on_methods": None},
    {"retry_on_methods": {"POST"}, "retry_on_status_codes": (418,), "retry_backoff_factor": 1},
]


@pytest.mark.parametrize("options", TAKEN)
def test_options_that_are_taken(
    make_client: ClientFactory, emulator: IdentityEmulator, options: dict[str, Any]
) -> None:
    calls = {name: value for name, value in options.items() if name != "logger"}
    client = make_client.from_connection_string(emulator.connection_string, **options)
    assert client.create_user(**calls)


CONNECTION_STRINGS: list[tuple[Any, type[Exception], str]] = [
    (None, ValueError, "is None"),
    (7, TypeError, "must be a str"),
    (b"endpoint=x;accesskey=y", TypeError, "must be a str"),
    ("", ValueError, "no endpoint and no accesskey"),
    ("hello", ValueError, "no endpoint and no accesskey"),
    (f"accesskey={KEY}", ValueError, "no endpoint"),
    (f"endpoint={ENDPOINT}", ValueError, "no accesskey"),
    (f"endpoint=;accesskey={KEY}", ValueError, "no endpoint"),
    (f"endpoint={ENDPOINT};accesskey=", ValueError, "no accesskey"),
    (f"endpoint={ENDPOINT};accesskey={SECRET}", ValueError, "not base64"),
    (f"endpoint={ENDPOINT};endpoint=x;accesskey={KEY}", ValueError, "endpoint twice"),
    (f"endpoint={ENDPOINT};accesskey={KEY};AccessKey={KEY}", ValueError, "accesskey twice"),
    (f"endpoint=ftp://x;accesskey={KEY}", ValueError, "endpoint must be the URL"),
]


@pytest.mark.parametrize(("conn_str", "error", "words"), CONNECTION_STRINGS)
def test_connection_strings(
    make_client: ClientFactory, transport: Any, conn_str: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as raised:
        make_client.from_connection_string(conn_str, transport=transport)
    assert SECRET not in str(raised.value)
    assert KEY not in str(raised.value)


def test_a_key_that_was_updated_to_nonsense_is_refused_before_anything_is_sent(
    make_client: ClientFactory, transport: Any
) -> None:
    credential = AzureKeyCredential(KEY)
    client = make_client(ENDPOINT, credential, transport=transport)
    credential.update(SECRET)
    with pytest.raises(ValueError, match="not base64") as raised:
        client.create_user()
    assert SECRET not in str(raised.value)
