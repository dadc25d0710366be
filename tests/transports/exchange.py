"""Any transport, sync or async, behind one function."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import azure.core
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.core.rest import HttpRequest

from azure.communication.identity._transports._aiohttp import AiohttpTransport
from azure.communication.identity._transports._urllib3 import Urllib3Transport

SYNC = {"ours": Urllib3Transport, "stock": RequestsTransport}
ASYNC = {"ours": AiohttpTransport, "stock": AioHttpTransport}
# Before 1.37, the transports of azure-core told neither timeouts nor broken bodies from the rest.
STOCK_IS_PRECISE = [int(part) for part in azure.core.__version__.split(".")[:2]] >= [1, 37]
Transport = Callable[..., Any]
Use = Callable[[Any], Any]
"""What to do with a response: a function for sync ones, a coroutine function for async ones."""


class Received(NamedTuple):
    """The visible parts of a response."""

    status: int
    reason: str
    content_type: str | None
    content: bytes
    text: str


def exchange(
    flavour: str,
    make: str,
    request: HttpRequest,
    *,
    settings: dict[str, Any] | None = None,
    use: Use | None = None,
    **options: Any,
) -> Any:
    """Sends a request, and returns what ``use`` makes of the response.

    :param flavour: ``sync`` or ``async``.
    :param make: ``ours`` or ``stock``.
    :keyword settings: Options of the transport.
    """
    if flavour == "sync":
        with (
            SYNC[make](**(settings or {})) as transport,
            transport.send(request, **options) as response,
        ):
            return use(response) if use else received(response)
    return asyncio.run(_exchange(make, request, settings or {}, use, options))


async def _exchange(
    make: str, request: HttpRequest, settings: dict[str, Any], use: Use | None, options: Any
) -> Any:
    async with (
        ASYNC[make](**settings) as transport,
        await transport.send(request, **options) as response,
    ):
        if use is None:
            return received(response)
        result = use(response)
        return await result if isinstance(result, Awaitable) else result


def received(response: Any) -> Received:
    return Received(
        response.status_code,
        response.reason,
        response.content_type,
        response.content,
        response.text(),
    )


def error_of(*args: Any, **kwargs: Any) -> Exception | None:
    """What an exchange raises, or None."""
    try:
        exchange(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        return error
    return None


def raised(*args: Any, **kwargs: Any) -> type[BaseException] | None:
    """The class of what an exchange raises, or None."""
    error = error_of(*args, **kwargs)
    return None if error is None else type(error)
