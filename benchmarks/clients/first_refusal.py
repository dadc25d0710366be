"""The cost of the first rejected call of a process, relative to later ones.

    python first_refusal.py ENDPOINT sync|async

Prints the CPU seconds of the first rejected call and of a later one, and the modules that the first
one imported, as a line of JSON. A successful call comes before.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from statistics import median
from typing import Any

from python_worker import ACCESS_KEY, SCOPES

REFUSED = "8:acs:refused"
LATER = 50


async def seconds(call: Callable[[], Any]) -> float:
    """The CPU of a rejected call."""
    from azure.core.exceptions import HttpResponseError

    began = time.process_time()
    try:
        result: Awaitable[Any] | Any = call()
        if isawaitable(result):
            await result
    except HttpResponseError:
        return time.process_time() - began
    raise SystemExit("the call was not rejected")


async def measure(endpoint: str, kind: str) -> dict[str, Any]:
    if kind == "sync":
        from azure.communication.identity import CommunicationIdentityClient as Client
    else:
        from azure.communication.identity.aio import (  # type: ignore[assignment]
            CommunicationIdentityClient as Client,
        )
    client: Any = Client(endpoint, ACCESS_KEY)
    succeeded = client.get_token("8:acs:user", SCOPES)
    if isawaitable(succeeded):
        await succeeded
    before = set(sys.modules)
    first = await seconds(lambda: client.get_token(REFUSED, SCOPES))
    imported = sorted(set(sys.modules) - before)
    later = [await seconds(lambda: client.get_token(REFUSED, SCOPES)) for _ in range(LATER)]
    closed = client.close()
    if isawaitable(closed):
        await closed
    return {"first": first, "later": median(later), "imported": imported}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(*sys.argv[1:3]))))
