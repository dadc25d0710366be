"""A transport of either kind that is used for several requests."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from azure.core.rest import HttpRequest
from transports.raw_server import RawServer

from azure.communication.identity._transports._aiohttp import AiohttpTransport
from azure.communication.identity._transports._urllib3 import Urllib3Transport


class Kept:
    """A transport of either kind that is used for several requests."""

    def __init__(self, flavour: str, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        self.is_async = flavour == "async"
        self.loop = loop
        self.transport: Any = (AiohttpTransport if self.is_async else Urllib3Transport)(**options)

    def run(self, result: Any) -> Any:
        return self.loop.run_until_complete(result) if self.is_async else result

    def send(self, server: RawServer, **options: Any) -> Any:
        request = HttpRequest("POST", f"{server.url}/a", content=b"{}")
        return self.run(self.transport.send(request, **options))

    def idle(self, seconds: float) -> None:
        """Lets time pass, in which the event loop sees what arrives."""
        if self.is_async:
            self.loop.run_until_complete(asyncio.sleep(seconds))
        else:
            time.sleep(seconds)


MakeKept = Callable[..., Kept]
