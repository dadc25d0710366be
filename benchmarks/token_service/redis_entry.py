"""The memory that a real Redis takes for one person's token."""

import asyncio
import time

import service_programs  # noqa: F401 - makes the servers of the tests importable
from servers import redis

from acs_identity_emulator import IdentityEmulator
from acs_token_service.tokens.cache import Slot
from acs_token_service.tokens.encryption import TokenBox, new_key
from acs_token_service.tokens.redis_cache import RedisCache
from acs_token_service.tokens.resource import IssuedToken
from acs_token_service.tokens.shared import SharedRedis
from azure.communication.identity import CommunicationIdentityClient

ENTRIES = 20_000


def measure() -> float:
    """Bytes for an entry, as the service writes it, with a token as long as the emulator's."""
    with IdentityEmulator() as emulator:
        client = CommunicationIdentityClient.from_connection_string(emulator.connection_string)
        with client:
            user, token = client.create_user_and_token(["chat", "voip"])
    with redis() as server:
        url = f"redis://{server.host}:{server.port}/0"
        return asyncio.run(_bytes_of_entry(url, user.raw_id, token.token))


async def _bytes_of_entry(url: str, identity: str, token: str) -> float:
    shared = SharedRedis(url, timeout=10)
    cache = RedisCache(shared, TokenBox([new_key()]), lease=5)
    before = (await shared.client.info("memory"))["used_memory"]
    now = time.time()
    for number in range(ENTRIES):
        slot = Slot(f"{identity[:-8]}{number:08x}", 0, ("chat", "voip"))
        fence, _ = await cache.begin(slot)
        assert fence is not None
        await cache.put(slot, IssuedToken(token, now, now + 86_400), fence)
    after = (await shared.client.info("memory"))["used_memory"]
    await cache.close()
    await shared.close()
    return float(after - before) / ENTRIES
