"""The clients against what the service answered once. Nothing here needs a server.

``conftest.py`` says how the cassettes are recorded.
"""

from calendar import timegm
from datetime import timedelta
from time import strptime
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from azure.communication.identity import CommunicationTokenScope

from .conftest import Connect, Recording, Service, TeamsUser

CHAT, VOIP = CommunicationTokenScope.CHAT, CommunicationTokenScope.VOIP
FOREIGN_USER = "8:acs:00000000-0000-0000-0000-000000008001_00000000-0000-0000-0000-000000008002"


def check_token(token: AccessToken, answer: dict[str, Any], recording: Recording) -> None:
    """Compares a token with the answer, whose time is read here in another way."""
    assert recording.on_cassette({"token": token.token})["token"] == answer["token"]
    assert type(token.expires_on) is int
    assert token.expires_on == timegm(strptime(answer["expiresOn"][:19], "%Y-%m-%dT%H:%M:%S"))
    assert answer["expiresOn"].endswith("+00:00")


async def test_create_user(client: Any, recording: Recording) -> None:
    user = await client.create_user()
    assert recording.answer == {"identity": {"id": recording.on_cassette(user.raw_id)}}
    assert user.raw_id.startswith("8:acs:")


async def test_create_user_and_token(client: Any, recording: Recording) -> None:
    user, token = await client.create_user_and_token(
        [CHAT, VOIP], token_expires_in=timedelta(hours=2)
    )
    assert recording.answer["identity"]["id"] == recording.on_cassette(user.raw_id)
    check_token(token, recording.answer["accessToken"], recording)


async def test_get_token(client: Any, recording: Recording) -> None:
    user = await client.create_user()
    token = await client.get_token(user, [CHAT])
    check_token(token, recording.answer, recording)


async def test_revoke_tokens_and_delete_user(client: Any, recording: Recording) -> None:
    user = await client.create_user()
    assert await client.revoke_tokens(user) is None
    assert await client.delete_user(user) is None


async def test_get_token_for_teams_user(
    teams_user: TeamsUser, client: Any, recording: Recording
) -> None:
    token = await client.get_token_for_teams_user(*teams_user)
    check_token(token, recording.answer, recording)


async def test_a_user_of_another_resource(client: Any, recording: Recording) -> None:
    with pytest.raises(ClientAuthenticationError) as caught:
        await client.get_token(FOREIGN_USER, [CHAT])
    assert caught.value.error is not None
    assert caught.value.error.code == "IdentityNotOwned"


async def test_an_expiry_out_of_range(client: Any, recording: Recording) -> None:
    with pytest.raises(HttpResponseError) as caught:
        await client.create_user_and_token([CHAT], token_expires_in=timedelta(minutes=59))
    assert caught.value.status_code == 400
    assert caught.value.error is not None
    assert caught.value.error.code == "ValidationError"
    assert caught.value.error.target == "ExpiresInMinutes"


async def test_a_wrong_key(connect: Connect, service: Service, recording: Recording) -> None:
    endpoint, _, _ = service.connection_string.partition("accesskey=")
    client = await connect(endpoint + "accesskey=d3Jvbmc=")
    with pytest.raises(ClientAuthenticationError) as caught:
        await client.create_user()
    assert caught.value.error is not None
    assert caught.value.error.code == "Denied"
