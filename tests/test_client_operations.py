"""The operations of the clients, against a service that checks every signature."""

import time
from datetime import timedelta
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from either_client import ClientFactory, Clock, EitherClient

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import (
    ApiVersion,
    CommunicationTokenScope,
    CommunicationUserIdentifier,
)

APP = "11111111-2222-3333-4444-555555555555"
USER = "66666666-7777-8888-9999-000000000000"


def test_a_user_is_created(client: EitherClient, emulator: IdentityEmulator) -> None:
    user = client.create_user()

    assert isinstance(user, CommunicationUserIdentifier)
    assert user.raw_id.startswith(f"8:acs:{emulator.resource_id}_")
    assert user.properties["id"] == user.identifier == user.raw_id
    assert client.create_user() != user


@pytest.mark.parametrize(
    "scopes",
    [
        ["chat"],
        [CommunicationTokenScope.CHAT, "voip"],
        (CommunicationTokenScope.CHAT_JOIN, CommunicationTokenScope.CHAT_JOIN_LIMITED),
        list(CommunicationTokenScope),
    ],
)
def test_a_token_is_issued(client: EitherClient, emulator: IdentityEmulator, scopes: Any) -> None:
    token = client.get_token(client.create_user(), scopes)

    assert isinstance(token, AccessToken)
    assert emulator.is_token_valid(token.token)
    assert type(token.expires_on) is int
    assert token.expires_on == pytest.approx(time.time() + 24 * 3600, abs=30)


def test_a_user_and_its_token_are_created_in_one_request(
    client: EitherClient, emulator: IdentityEmulator
) -> None:
    targets: list[str] = []
    user, token = client.create_user_and_token(
        ["chat"], raw_request_hook=lambda request: targets.append(request.http_request.url)
    )

    assert len(targets) == 1
    assert isinstance(user, CommunicationUserIdentifier)
    assert emulator.is_token_valid(token.token)
    assert type(token.expires_on) is int


@pytest.mark.parametrize("minutes", [60, 61.999, 1440])
def test_an_expiry_is_sent_as_whole_minutes(client: EitherClient, minutes: float) -> None:
    expires_in = timedelta(minutes=minutes)
    user, token = client.create_user_and_token(["chat"], token_expires_in=expires_in)
    another = client.get_token(user, ["chat"], token_expires_in=expires_in)

    for issued in (token, another):
        assert issued.expires_on == pytest.approx(time.time() + int(minutes) * 60, abs=30)


def test_a_user_may_be_named_by_its_raw_id(
    client: EitherClient, emulator: IdentityEmulator
) -> None:
    raw_id = client.create_user().raw_id
    token = client.get_token(raw_id, ["chat"])
    client.revoke_tokens(raw_id)
    assert not emulator.is_token_valid(token.token)
    client.delete_user(raw_id)
    with pytest.raises(ResourceNotFoundError):
        client.get_token(raw_id, ["chat"])


def test_tokens_are_revoked(client: EitherClient, emulator: IdentityEmulator) -> None:
    user, token = client.create_user_and_token(["chat"])
    assert client.revoke_tokens(user) is None

    assert not emulator.is_token_valid(token.token)
    assert emulator.is_token_valid(client.get_token(user, ["chat"]).token)


def test_a_user_is_deleted(client: EitherClient, emulator: IdentityEmulator) -> None:
    user, token = client.create_user_and_token(["chat"])
    assert client.delete_user(user) is None

    assert not emulator.is_token_valid(token.token)
    with pytest.raises(ResourceNotFoundError) as raised:
        client.get_token(user, ["chat"])
    assert raised.value.status_code == 404
    assert raised.value.error is not None
    assert raised.value.error.code == "IdentityNotFound"


def test_the_token_of_a_teams_user_is_exchanged(
    client: EitherClient, emulator: IdentityEmulator
) -> None:
    entra_token = emulator.issue_entra_token(
        user_object_id=USER, client_id=APP, expires_in=timedelta(minutes=30)
    )
    token = client.get_token_for_teams_user(entra_token, APP, USER)

    assert emulator.is_token_valid(token.token)
    assert token.expires_on == pytest.approx(time.time() + 30 * 60, abs=30)


@pytest.mark.parametrize(
    ("method", "arguments", "status", "code", "target"),
    [
        ("create_user_and_token", (["swim"],), 400, "ValidationError", "scopes"),
        ("get_token", ("8:acs:nobody", ["chat"]), 400, "ValidationError", "id"),
        ("revoke_tokens", ("8:acs:nobody",), 400, "ValidationError", "id"),
        ("delete_user", ("8:acs:nobody",), 400, "ValidationError", "id"),
        ("get_token_for_teams_user", ("", "", ""), 401, "InvalidAccessToken", None),
        ("get_token_for_teams_user", ("no.jwt", APP, USER), 401, "InvalidAccessToken", None),
    ],
)
def test_what_the_service_refuses_comes_back_with_its_words(
    client: EitherClient,
    method: str,
    arguments: tuple[Any, ...],
    status: int,
    code: str,
    target: str | None,
) -> None:
    with pytest.raises(HttpResponseError) as raised:
        getattr(client, method)(*arguments)

    assert raised.value.status_code == status
    assert raised.value.error is not None
    assert (raised.value.error.code, raised.value.error.target) == (code, target)
    assert str(raised.value.error.message) in str(raised.value)


@pytest.mark.parametrize(
    "expires_in", [timedelta(0), timedelta(minutes=59), timedelta(hours=25), timedelta(hours=-1)]
)
def test_the_range_of_an_expiry_is_for_the_service_to_judge(
    client: EitherClient, expires_in: timedelta
) -> None:
    user = client.create_user()
    for call, argument in ((client.get_token, (user,)), (client.create_user_and_token, ())):
        with pytest.raises(HttpResponseError) as raised:
            call(*argument, ["chat"], token_expires_in=expires_in)
        assert raised.value.error is not None
        assert raised.value.error.target == "ExpiresInMinutes"


def test_the_form_of_teams_ids_is_for_the_service_to_judge(
    client: EitherClient, emulator: IdentityEmulator
) -> None:
    entra_token = emulator.issue_entra_token(user_object_id=USER, client_id=APP)
    for app, user, target in [
        ("", USER, "AppId"),
        (APP, "", "UserId"),
        ("no guid", USER, "appId"),
        (APP, "no guid", "userId"),
        (USER, USER, "appId"),
        (APP, APP, "userId"),
    ]:
        with pytest.raises(HttpResponseError) as raised:
            client.get_token_for_teams_user(entra_token, app, user)
        assert raised.value.error is not None
        assert raised.value.error.target == target


@pytest.mark.parametrize("version", [*ApiVersion, "2023-10-01"])
def test_every_api_version_can_be_asked_for(
    make_client: ClientFactory, emulator: IdentityEmulator, version: str
) -> None:
    client = make_client.from_connection_string(emulator.connection_string, api_version=version)
    user, token = client.create_user_and_token(["chat"])
    client.delete_user(user)
    assert not emulator.is_token_valid(token.token)


def test_a_call_may_ask_for_another_api_version(client: EitherClient) -> None:
    urls: list[str] = []
    client.create_user(
        api_version=ApiVersion.V2022_06_01,
        raw_request_hook=lambda request: urls.append(request.http_request.url),
    )
    assert urls[0].endswith("/identities?api-version=2022-06-01")

    with pytest.raises(HttpResponseError) as raised:
        client.create_user(api_version="2999-01-01")
    assert raised.value.error is not None
    assert raised.value.error.code == "UnsupportedApiVersion"


def test_either_key_signs_and_an_update_takes_effect_with_the_next_request(
    make_client: ClientFactory, emulator: IdentityEmulator
) -> None:
    credential = AzureKeyCredential("bm8gc3VjaCBrZXk=")
    client = make_client(emulator.endpoint, credential)
    with pytest.raises(HttpResponseError):
        client.create_user()
    for key in (emulator.access_key, emulator.secondary_key):
        credential.update(key)
        assert client.create_user().raw_id


def test_a_client_is_closed_by_with(make_client: ClientFactory, emulator: IdentityEmulator) -> None:
    with make_client.from_connection_string(emulator.connection_string) as client:
        client.create_user()
    with pytest.raises(ValueError, match="closed"):
        client.create_user()


def test_the_clock_of_a_test_moves_the_expiry(
    client: EitherClient, clock: Clock, emulator: IdentityEmulator
) -> None:
    token = client.create_user_and_token(["chat"])[1]
    clock.offset = 24 * 3600 + 1.0
    assert not emulator.is_token_valid(token.token)
