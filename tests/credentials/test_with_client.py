"""A client's get_token as the refresher, against the emulator."""

from typing import Any

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity.aio import (
    CommunicationIdentityClient as AsyncCommunicationIdentityClient,
)

DAY = 86400


@pytest.mark.usefixtures("fake_timers")
async def test_three_refreshes_of_which_one_fails(driver: Any, clock: Any) -> None:
    with IdentityEmulator(clock=clock) as emulator:
        client_class: Any = (
            AsyncCommunicationIdentityClient if driver.is_async else CommunicationIdentityClient
        )
        client = client_class.from_connection_string(emulator.connection_string)
        # Requests are signed with the time, which has to be that of the emulator.
        client._client._config.authentication_policy._clock = clock
        user = await driver.result_of(client.create_user())
        credential = driver.module.CommunicationTokenCredential(
            token_refresher=lambda: client.get_token(user, ["chat"]),
            proactive_refresh=True,
            clock=clock,
        )
        driver.credentials.append(credential)
        await driver.enter(credential)

        await driver.go_off(credential)
        first = await driver.get(credential)
        assert first.expires_on == clock.now + DAY
        assert emulator.is_token_valid(first.token)
        assert driver.timer(credential).interval == DAY - 600

        clock.now += DAY - 600
        emulator.inject("issue", "status:401")
        await driver.go_off(credential)
        assert await driver.get(credential) == first
        assert driver.timer(credential).interval == 300

        clock.now += 300
        await driver.go_off(credential)
        third = await driver.get(credential)
        assert third.token != first.token
        assert third.expires_on == clock.now + DAY
        assert emulator.is_token_valid(third.token)
        assert driver.timer(credential).interval == DAY - 600
        await driver.result_of(client.close())


class AsyncEntra:
    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        raise AssertionError


class AsyncInfoOnly:
    async def get_token_info(self, *scopes: str, **kwargs: Any) -> AccessTokenInfo:
        raise AssertionError


@pytest.mark.parametrize("credential", [AsyncEntra(), AsyncInfoOnly()])
def test_an_async_entra_credential_is_told_by_a_sync_client(credential: Any) -> None:
    with pytest.raises(TypeError) as caught:
        CommunicationIdentityClient("https://resource.communication.azure.com", credential)
    assert str(caught.value) == (
        "credential is async. Use CommunicationIdentityClient of azure.communication.identity.aio "
        "for it."
    )
