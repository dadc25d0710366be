"""What a million users a day need, calculated from what load.py measured and from real Redis.

python benchmarks/token_service/load.py --json benchmarks/token_service/results.json
python benchmarks/token_service/million.py benchmarks/token_service/results.json
"""

import argparse
import asyncio
import json
import math
import time
from pathlib import Path
from typing import Any

import service_programs  # noqa: F401 - makes the servers of the tests importable
from servers import redis

from acs_identity_emulator import IdentityEmulator
from acs_token_service.tokens.cache import Slot
from acs_token_service.tokens.encryption import TokenBox, new_key
from acs_token_service.tokens.redis_cache import RedisCache
from acs_token_service.tokens.resource import IssuedToken
from acs_token_service.tokens.shared import SharedRedis
from azure.communication.identity import CommunicationIdentityClient

USERS = 1_000_000  # that are active on a day
ASKS = 4  # of a user a day: an app asks when it starts
PEAK = 5  # times the average
CORES = 2  # of a machine
UTILISATION = 0.5  # of a core at the peak
LIMIT = 1000  # calls of an operation in 30 seconds, by default
RESERVE = 0.1
ENTRIES = 20_000
KIND = "Redis, PostgreSQL asked each time"


def a_token() -> tuple[str, str]:
    """An identity and its token, of the length that the emulator gives them."""
    with IdentityEmulator() as emulator:
        client = CommunicationIdentityClient.from_connection_string(emulator.connection_string)
        with client:
            user, token = client.create_user_and_token(["chat", "voip"])
            return user.raw_id, token.token


async def bytes_of_entry(url: str, identity: str, token: str) -> float:
    """The memory that Redis takes for one person's token."""
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


def page(figures: list[dict[str, Any]], entry: float) -> str:
    cpu = min(each["cpu"] for each in figures if each["kind"] == KIND)
    average = USERS * ASKS / 86_400
    peak = average * PEAK
    machines = math.ceil(peak * cpu / 1000 / (CORES * UTILISATION))
    issues = USERS / 86_400 * PEAK
    allowed = LIMIT * (1 - RESERVE) / 30
    rows = {
        "Requests a second, average and peak": f"{average:.0f}, {peak:.0f}",
        "CPU for one request, Redis and PostgreSQL asked each time": f"{cpu:.2f} ms",
        f"Machines of {CORES} cores at {UTILISATION:.0%}, and one to spare": f"{machines} + 1",
        "Redis for one token": f"{entry:.0f} bytes",
        "Redis for all": f"{entry * USERS / 1e9:.1f} GB",
        "Tokens issued a second, average and peak": f"{USERS / 86_400:.1f}, {issues:.0f}",
        "Allowed by default, less the reserve": f"{allowed:.0f} a second",
        "Ask Azure for": f"{math.ceil(issues * 30 / (1 - RESERVE) / 100) * 100} tokens in 30 s",
        "New people a day within the default limit": f"{allowed * 86_400 / PEAK:,.0f}",
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    options = parser.parse_args()
    figures = json.loads(options.results.read_text(encoding="utf-8"))["figures"]
    identity, token = a_token()
    with redis() as server:
        url = f"redis://{server.host}:{server.port}/0"
        entry = asyncio.run(bytes_of_entry(url, identity, token))
    print(page(figures, entry))


if __name__ == "__main__":
    main()
