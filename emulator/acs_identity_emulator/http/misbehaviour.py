"""A fault, carried out on the response to one request."""

import asyncio
import contextlib
import http
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from ..contract import errors
from ..contract.errors import ServiceError
from ..contract.faults import Fault, Kind
from ..state.clock import ServiceClock
from .responses import Response

_FRONT_DOOR_PAGE = b"""\
<!DOCTYPE html>
<html><head><title>Service unavailable</title></head>
<body><h2>Our services aren't available right now</h2></body></html>
"""


def _error_of_status(fault: Fault) -> ServiceError:
    """The error of the service that a status fault stands for."""
    status = int(fault.value)
    if status == 429:
        return errors.too_many_requests(fault.retry_after)
    if status == 401:
        error = errors.denied(None)
    else:
        try:
            phrase = http.HTTPStatus(status).phrase
        except ValueError:
            phrase = "Unknown Error"
        error = ServiceError(status, "".join(phrase.title().split()), f"{phrase}.")
    error.retry_after = fault.retry_after
    return error


async def misbehave(
    fault: Fault,
    request: web.BaseRequest,
    serve: Callable[[], Awaitable[Response]],
    clock: ServiceClock,
) -> web.StreamResponse:
    """The response with the fault in it. `serve` performs the request; not every fault calls it.

    :raises ServiceError: the fault is an error of the service.
    """
    match fault.kind:
        case Kind.HTML:
            return web.Response(status=503, body=_FRONT_DOOR_PAGE, content_type="text/html")
        case Kind.DELAY:
            await asyncio.sleep(fault.value)
            return await serve()
        case Kind.CLOCK:
            with clock.off_by(60 * fault.value):
                response_under_way = serve()  # by this clock: only the signature may come later
            return await response_under_way
        case Kind.RESET:
            _reset(request)
            return web.Response()
        case Kind.RESET_IN_BODY:
            return await _reset_in_body(request, await serve())
        case Kind.TRUNCATED:
            response = await serve()
            response.content = response.content[: len(response.content) // 2]
            return response
        case Kind.NO_FIELDS:
            response = await serve()
            if response.content and response.status < 300:
                response.content = b"{}"
            return response
        case Kind.STATUS:
            raise _error_of_status(fault)


async def _reset_in_body(request: web.BaseRequest, response: Response) -> Response:
    encoded = response.encoded(request)
    body_at = encoded.index(b"\r\n\r\n") + 4
    await request.writer.write(encoded[: (body_at + len(encoded)) // 2])
    _reset(request)
    return response


def _reset(request: web.BaseRequest) -> None:
    """Ends the connection with RST rather than FIN, as when a machine between has gone."""
    transport = request.transport
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
