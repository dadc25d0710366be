"""From the start of the process to its first token, with whichever package the environment has."""

import asyncio
import sys

ACCESS_KEY = "YmVuY2htYXJrLWtleS1iZW5jaG1hcmsta2V5LWJlbmNobWFyaw=="
USER_ID = "8:acs:8f1f1a36-0000-4e09-a1bc-f0a8e0f0ffff_00000000-1a2b-4c3d-9e8f-0123456789ab"


def sync_token(endpoint: str) -> None:
    from azure.communication.identity import (
        CommunicationIdentityClient,
        CommunicationUserIdentifier,
    )

    client = CommunicationIdentityClient(endpoint, ACCESS_KEY)
    client.get_token(CommunicationUserIdentifier(USER_ID), ["chat"])


async def async_token(endpoint: str) -> None:
    from azure.communication.identity import CommunicationUserIdentifier
    from azure.communication.identity.aio import CommunicationIdentityClient

    async with CommunicationIdentityClient(endpoint, ACCESS_KEY) as client:
        await client.get_token(CommunicationUserIdentifier(USER_ID), ["chat"])


if sys.argv[2] == "sync":
    sync_token(sys.argv[1])
else:
    asyncio.run(async_token(sys.argv[1]))
