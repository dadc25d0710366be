"""Both clients as one, so that a case is written once."""

import asyncio
import inspect
import time
from collections.abc import Callable, Iterable
from typing import Any

from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity.aio import (
    CommunicationIdentityClient as AsyncCommunicationIdentityClient,
)

KEY = "c2VjcmV0LWtleS1vZi10aGUtdGVzdHM="


class Clock:
    """The time, and an offset that a test may set."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


class EitherClient:
    """A client of either kind, whose methods return results and no coroutines."""

    def __init__(self, client: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.wrapped = client
        self._loop = loop

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.wrapped, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            return self._loop.run_until_complete(result) if inspect.isawaitable(result) else result

        return call

    def items(self, paged: Any) -> list[Any]:
        """The items of a result in pages, or of one page."""
        if isinstance(paged, Iterable):
            return list(paged)

        async def collected() -> list[Any]:
            return [item async for item in paged]

        return self._loop.run_until_complete(collected())

    def __enter__(self) -> "EitherClient":
        self.__getattr__("__enter__" if hasattr(self.wrapped, "__enter__") else "__aenter__")()
        return self

    def __exit__(self, *exception: Any) -> None:
        name = "__exit__" if hasattr(self.wrapped, "__exit__") else "__aexit__"
        self.__getattr__(name)(*exception)


class ClientFactory:
    """Makes clients of one flavour, and closes them."""

    def __init__(self, flavour: str, loop: asyncio.AbstractEventLoop) -> None:
        self.type = (
            CommunicationIdentityClient if flavour == "sync" else AsyncCommunicationIdentityClient
        )
        self._loop = loop
        self._made: list[EitherClient] = []

    def __call__(self, endpoint: Any, credential: Any = KEY, **options: Any) -> EitherClient:
        return self.adopt(self.type(endpoint, credential, **options))

    def from_connection_string(self, conn_str: Any, **options: Any) -> EitherClient:
        return self.adopt(self.type.from_connection_string(conn_str, **options))

    def close_all(self) -> None:
        for client in self._made:
            client.close()

    def adopt(self, client: Any) -> EitherClient:
        """A client that the caller made."""
        self._made.append(EitherClient(client, self._loop))
        return self._made[-1]
