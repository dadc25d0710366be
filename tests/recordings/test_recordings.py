"""The clients against recorded responses of the service. Needs no server.

``conftest.py`` says how the cassettes are recorded.
"""

from calendar import timegm
from datetime import timedelta
from time import strptime
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from either_client import ClientFactory, EitherClient

from azure.communication.identity import CommunicationTokenScope

from .conftest import Recording, Resource, TeamsUser

CHAT, VOIP = CommunicationTokenScope.CHAT, CommunicationTokenScope.VOIP
FOREIGN_USER = "8:acs:00000000-0000-0000-0000-000000008001_00000000-0000-0000-0000-000000008002"


def check_token(token: AccessToken, answer: dict[str, Any], recording: Recording) -> None:
    """Compares a token with the answer, whose time is read here in another way."""
    assert recording.on_cassette({"token": token.token})["token"] == answer["token"]
    assert type(token.expires_on) is int
    assert token.expires_on == timegm(strptime(answer["expiresOn"][:19], "%Y-%m-%dT%H:%M:%S"))
    assert answer["expiresOn"].endswith("+00:00")


def test_create_user(client: EitherClient, recording: Recording) -> None:
    user = client.create_user()
    assert recording.answer == {"identity": {"id": recording.on_cassette(user.raw_id)}}
    assert user.raw_id.startswith("8:acs:")


def test_create_user_and_token(client: EitherClient, recording: Recording) -> None:
    user, token = client.create_user_and_token([CHAT, VOIP], token_expires_in=timedelta(hours=2))
    assert recording.answer["identity"]["id"] == recording.on_cassette(user.raw_id)
    check_token(token, recording.answer["accessToken"], recording)


def test_get_token(client: EitherClient, recording: Recording) -> None:
    user = client.create_user()
    token = client.get_token(user, [CHAT])
    check_token(token, recording.answer, recording)


def test_revoke_tokens_and_delete_user(client: EitherClient, recording: Recording) -> None:
    user = client.create_user()
    assert client.revoke_tokens(user) is None
    assert client.delete_user(user) is None


def test_get_token_for_teams_user(
    teams_user: TeamsUser, client: EitherClient, recording: Recording
) -> None:
    token = client.get_token_for_teams_user(*teams_user)
    check_token(token, recording.answer, recording)


def test_a_user_of_another_resource(client: EitherClient, recording: Recording) -> None:
    with pytest.raises(ClientAuthenticationError) as caught:
        client.get_token(FOREIGN_USER, [CHAT])
    assert caught.value.error is not None
    assert caught.value.error.code == "IdentityNotOwned"


def test_an_expiry_out_of_range(client: EitherClient, recording: Recording) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.create_user_and_token([CHAT], token_expires_in=timedelta(minutes=59))
    assert caught.value.status_code == 400
    assert caught.value.error is not None
    assert caught.value.error.code == "ValidationError"
    assert caught.value.error.target == "ExpiresInMinutes"


def test_a_wrong_key(make_client: ClientFactory, resource: Resource, recording: Recording) -> None:
    endpoint, _, _ = resource.connection_string.partition("accesskey=")
    client = make_client.from_connection_string(endpoint + "accesskey=d3Jvbmc=")
    with pytest.raises(ClientAuthenticationError) as caught:
        client.create_user()
    assert caught.value.error is not None
    assert caught.value.error.code == "Denied"
